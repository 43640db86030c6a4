import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { signingKey } from '../../src/evidence/key.js';
import { verifyReport } from '../../src/evidence/verify.js';
import { reportContent, writeReportFiles } from '../../src/evidence/write.js';
import { finishedReport } from '../support/reports.js';

let folder: string;
let report: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-evidence-'));
  const key = await signingKey({ MUSTER_HOME: folder });
  report = join(folder, 'report');
  const document = {
    ...finishedReport,
    signing: { algorithm: 'Ed25519' as const, publicKeySha256: key.fingerprint },
  };
  await writeReportFiles(report, reportContent(document, key));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function openssl(file: string): { status: number | null; output: string } {
  const { status, stdout } = spawnSync(
    'openssl',
    [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      'report.pub.pem',
      '-rawin',
      '-in',
      file,
      '-sigfile',
      `${file}.sig`,
    ],
    { cwd: report, encoding: 'utf8' },
  );
  return { status, output: stdout.trim() };
}

function change(name: string, edit: (bytes: Buffer) => Buffer): void {
  const path = join(report, name);
  writeFileSync(path, edit(readFileSync(path)));
}

const flip = (at: number, bit: number) => (bytes: Buffer) => {
  const changed = Buffer.from(bytes);
  changed[at % bytes.length] = (changed[at % bytes.length] ?? 0) ^ (1 << bit);
  return changed;
};

describe('a signed report', () => {
  test('is verified by openssl, without Muster', () => {
    for (const file of ['report.json', 'report.html']) {
      expect(readFileSync(join(report, `${file}.sig`))).toHaveLength(64);
      expect(openssl(file)).toEqual({ status: 0, output: 'Signature Verified Successfully' });
    }
    change('report.json', flip(100, 0));
    expect(openssl('report.json').status).not.toBe(0);
  });

  test('is verified by Muster, which says what the key beside it proves and what not', async () => {
    const verdict = await verifyReport(report);
    expect(verdict).toMatchObject({ ok: true, problems: [], key: { from: 'beside' } });
    expect(verdict.cautions.join()).toContain(verdict.key.fingerprint);
    const der = execFileSync('openssl', ['pkey', '-pubin', '-in', 'report.pub.pem', '-outform', 'DER'], {
      cwd: report,
    });
    expect(verdict.key.fingerprint).toBe(createHash('sha256').update(der).digest('hex'));
  });

  test('verified with a key from elsewhere needs no caution', async () => {
    const key = join(folder, 'trusted.pem');
    writeFileSync(key, readFileSync(join(report, 'report.pub.pem')));
    expect(await verifyReport(report, key)).toMatchObject({ ok: true, cautions: [], key: { from: 'given' } });
    rmSync(join(report, 'report.pub.pem'));
    expect(await verifyReport(join(report, 'report.json'), key)).toMatchObject({ ok: true });
  });

  test('any single flipped bit of any file is found', async () => {
    const files = ['report.json', 'report.json.sig', 'report.html', 'report.html.sig'];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.nat(),
        fc.integer({ min: 0, max: 7 }),
        async (name, at, bit) => {
          change(name, flip(at, bit));
          const verdict = await verifyReport(report);
          change(name, flip(at, bit));
          const blamed = verdict.files.filter(({ intact }) => !intact).map((file) => file.name);
          expect([verdict.ok, blamed]).toEqual([false, [name.replace('.sig', '')]]);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a page that was made from another report is found although both are signed', async () => {
    const key = await signingKey({ MUSTER_HOME: folder });
    const other = reportContent({ ...finishedReport, outcome: 'another end' }, key);
    writeFileSync(join(report, 'report.json'), other.json);
    writeFileSync(join(report, 'report.json.sig'), other.signature);
    const verdict = await verifyReport(report);
    expect(verdict.files.every(({ intact }) => intact)).toBe(true);
    expect(verdict.problems.join()).toMatch(/made from another report\.json/);
    expect(verdict.ok).toBe(false);
  });

  test('signed anew by someone else is found with the key that is known, not with the one beside it', async () => {
    const known = join(folder, 'known.pem');
    writeFileSync(known, readFileSync(join(report, 'report.pub.pem')));
    const forger = await signingKey({ MUSTER_HOME: join(folder, 'forger') });
    const forged = {
      ...finishedReport,
      rpo: [],
      signing: { algorithm: 'Ed25519' as const, publicKeySha256: forger.fingerprint },
    };
    await writeReportFiles(report, reportContent(forged, forger));
    expect(await verifyReport(report)).toMatchObject({ ok: true });
    const verdict = await verifyReport(report, known);
    expect(verdict.ok).toBe(false);
    expect(verdict.problems.join()).toMatch(/not the one you gave/);
  });

  test.each([
    ['a missing signature', () => rmSync(join(report, 'report.html.sig')), /report\.html has no signature/],
    ['a missing page', () => rmSync(join(report, 'report.html')), /report\.html is missing/],
    ['a cut signature', () => change('report.json.sig', (bytes) => bytes.subarray(1)), /has 63 bytes/],
  ])('%s is named', async (_what, damage, said) => {
    damage();
    const verdict = await verifyReport(report);
    expect(verdict.ok).toBe(false);
    expect(verdict.files.map(({ text }) => text).join()).toMatch(said);
  });

  test('nothing to check, or no key, is bad input', async () => {
    await expect(verifyReport(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'BadInput' });
    await expect(verifyReport(folder)).rejects.toMatchObject({ code: 'BadInput' });
    await expect(verifyReport(report, join(folder, 'nokey.pem'))).rejects.toMatchObject({ code: 'BadInput' });
    rmSync(join(report, 'report.pub.pem'));
    await expect(verifyReport(report)).rejects.toMatchObject({ code: 'BadInput' });
  });
});

describe('the signing key', () => {
  test('is made once where none is named, readable for its own account alone', async () => {
    const home = join(folder, 'fresh');
    const keys = await Promise.all(Array.from({ length: 5 }, () => signingKey({ MUSTER_HOME: home })));
    expect(new Set(keys.map(({ fingerprint }) => fingerprint)).size).toBe(1);
    expect(statSync(join(home, 'keys', 'report-signing.pem')).mode & 0o777).toBe(0o600);
  });

  test('is the one that MUSTER_SIGNING_KEY names, made with openssl', async () => {
    const path = join(folder, 'own.pem');
    execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', path]);
    const pub = execFileSync('openssl', ['pkey', '-in', path, '-pubout'], { encoding: 'utf8' });
    expect((await signingKey({ MUSTER_SIGNING_KEY: `file:${path}` })).publicKeyPem).toBe(pub);
  });

  test('that cannot sign is refused without a word of its content', async () => {
    const path = join(folder, 'bad.pem');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
      type: 'pkcs8',
      format: 'pem',
    });
    for (const content of ['SECRET-TEXT', String(rsa)]) {
      writeFileSync(path, content);
      const error = await signingKey({ MUSTER_SIGNING_KEY: `file:${path}` }).catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'SigningKeyUnusable' });
      expect(String(error.message)).not.toContain(content.slice(0, 40));
    }
    await expect(signingKey({ MUSTER_SIGNING_KEY: 'env:NOT_THERE' })).rejects.toMatchObject({
      code: 'SecretMissing',
    });
  });
});
