/** A bundle as it is written, checked, altered and opened; recovering from one is in test/matrix/corruption-payymo-break-glass. */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packFiles, unpackFiles } from '../../src/bundle/archive.js';
import { runMuster } from '../cli/run-muster.js';

const runbooks = resolve(__dirname, '../../runbooks');
let folder: string;
let env: Record<string, string>;
let bundle: string;
let publicKey: string;

const muster = (...args: string[]) =>
  runMuster(['--runbooks', runbooks, '--json', ...args], { env, cwd: folder });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-bundle-'));
  const pair = generateKeyPairSync('ed25519');
  await writeFile(join(folder, 'signing.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  publicKey = join(folder, 'signing.pub.pem');
  await writeFile(publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  env = { MUSTER_HOME: folder, MUSTER_SIGNING_KEY: `file:${join(folder, 'signing.pem')}` };
  bundle = join(folder, 'payymo.tar.gz');
  const written = await muster(
    'bundle',
    'payymo',
    '--to',
    bundle,
    '--source',
    'the vault of the second site',
  );
  expect(written).toMatchObject({ code: 0 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The bundle with one file changed, added or (undefined) taken out. */
async function changed(name: string, contents: string | undefined): Promise<string> {
  const files = new Map(await unpackFiles(await readFile(bundle)));
  if (contents === undefined) files.delete(name);
  else files.set(name, Buffer.from(contents));
  const file = join(folder, `changed-${name.replaceAll('/', '-')}`);
  await writeFile(file, await packFiles(files));
  return file;
}

it('opens with tar, and openssl and sha256sum accept it', async () => {
  const by = (command: string, ...args: string[]) =>
    spawnSync(command, args, { cwd: join(folder, 'by-hand') });
  spawnSync('mkdir', [join(folder, 'by-hand')]);
  expect(by('tar', 'xzf', bundle).status).toBe(0);
  expect(by('sha256sum', '--check', '--strict', 'SHA256SUMS').status).toBe(0);
  const signed = ['-rawin', '-in', 'SHA256SUMS', '-sigfile', 'SHA256SUMS.sig'];
  expect(by('openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', publicKey, ...signed).status).toBe(0);
  const printed = await readFile(join(folder, 'by-hand/printed/corruption.md'), 'utf8');
  expect(printed).toContain('pgbackrest');
  const guide = await readFile(join(folder, 'by-hand/README.md'), 'utf8');
  expect(guide).toContain('the vault of the second site');
});

it('names every secret of the runbook and holds none', async () => {
  const files = await unpackFiles(await readFile(bundle));
  const runbook = files.get('runbooks/payymo.yaml')?.toString() ?? '';
  expect(runbook).toBe(await readFile(join(runbooks, 'payymo.yaml'), 'utf8'));
  // But for those that a recovery makes.
  const named = [...new Set(runbook.match(/(?<!newPassword: )file:\/etc\/muster\/secrets\/[\w-]+/g))];
  const secrets = files.get('SECRETS.md')?.toString() ?? '';
  expect(named.filter((reference) => !secrets.includes(`\`${reference}\``))).toEqual([]);
  expect(named.length).toBeGreaterThan(3);
  const all = Buffer.concat([...files.values()]).toString();
  expect(all).not.toContain('PRIVATE KEY');
});

it('is as it was signed with that key and with no other', async () => {
  expect(await muster('bundle', 'verify', bundle, '--key', publicKey)).toMatchObject({ code: 0 });
  const other = join(folder, 'other.pub.pem');
  await writeFile(other, generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }));
  const refused = await muster('bundle', 'verify', bundle, '--key', other);
  expect(refused.code).toBe(1);
  expect(JSON.parse(refused.stdout).problems[0]).toContain('another key signed it');
  const own = await muster('bundle', 'verify', bundle);
  expect(JSON.parse(own.stdout).cautions[0]).toContain('who signed it is not proven');
});

it.each([
  ['runbooks/payymo.yaml', 'system: other', 'runbooks/payymo.yaml was altered.'],
  ['printed/corruption.md', undefined, 'printed/corruption.md is missing.'],
  ['runbooks/other.yaml', 'system: other', 'runbooks/other.yaml was added.'],
  ['SHA256SUMS.sig', undefined, 'It is not signed: SHA256SUMS.sig is missing.'],
  ['SHA256SUMS', '', 'SHA256SUMS is not what was signed'],
])('finds out when %s is changed, and does not open it', async (name, contents, problem) => {
  const file = await changed(name, contents);
  const verdict = await muster('bundle', 'verify', file, '--key', publicKey);
  expect(verdict.code).toBe(1);
  expect(JSON.parse(verdict.stdout).problems).toContainEqual(expect.stringContaining(problem));
  const opened = await muster('bundle', 'open', file, `${file}.opened`);
  expect(opened.code).toBe(2);
  await expect(readdir(`${file}.opened`)).rejects.toThrow('ENOENT');
});

it('refuses a name that leads out of the folder, and what is no archive', async () => {
  const file = join(folder, 'outside');
  await writeFile(file, await packFiles(new Map([['../outside.yaml', Buffer.from('x')]])));
  expect((await muster('bundle', 'verify', file)).code).toBe(1);
  await writeFile(file, 'no archive');
  expect((await muster('bundle', 'verify', file)).code).toBe(1);
  expect((await muster('bundle', 'verify', join(folder, 'nothing'))).code).toBe(2);
});

it('opens into an empty folder only, and says what is still to be filled', async () => {
  const opened = await muster('bundle', 'open', bundle, join(folder, 'opened'), '--key', publicKey);
  expect(opened.code).toBe(0);
  const { toFill, cautions } = JSON.parse(opened.stdout);
  expect(cautions).toEqual([]);
  expect(toFill.map(({ reference }: { reference: string }) => reference)).toEqual(
    expect.arrayContaining([
      'file:/etc/muster/secrets/ledger-admin-password',
      '/etc/pgbackrest/ledger-west.conf',
    ]),
  );
  expect((await runMuster(['--runbooks', join(folder, 'opened/runbooks'), 'check'])).code).toBe(0);
  expect((await muster('bundle', 'open', bundle, join(folder, 'opened'))).code).toBe(2);
});

it('is never written over another one', async () => {
  const before = await readFile(bundle);
  const again = await muster('bundle', 'payymo', '--to', bundle);
  expect(again.code).toBe(2);
  expect(await readFile(bundle)).toEqual(before);
});
