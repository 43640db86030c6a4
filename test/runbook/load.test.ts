import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../src/errors.js';
import { loadRunbook, loadRunbooks, loadSystem } from '../../src/runbook/load.js';
import { nearest } from '../../src/runbook/nearest.js';
import { good } from './cases.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-runbooks-'));
});
afterEach(() => rm(folder, { recursive: true }));

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const asSystem = (system: string) => good.replace('system: payymo', `system: ${system}`);

async function refusal(attempt: Promise<unknown>): Promise<InputError> {
  const outcome = await attempt.then(
    () => 'nothing was refused',
    (thrown) => thrown,
  );
  if (outcome instanceof InputError) return outcome;
  throw new Error(`expected bad input, got ${outcome}`);
}

test('all runbooks of a folder are read, other files are not', async () => {
  await write('payymo.yaml', good);
  await write('another.yml', asSystem('another'));
  await write('runbook.schema.json', '{}');
  await write('.hidden.yaml', 'not: read');
  const loaded = await loadRunbooks(folder);
  expect(loaded.map(({ runbook }) => runbook.system)).toEqual(['another', 'payymo']);
});

test('a broken runbook does not stand in the way of another system', async () => {
  await write('payymo.yaml', good);
  await write('broken.yaml', 'system: [');
  expect((await loadSystem(folder, 'payymo')).runbook.system).toBe('payymo');
  const { problems } = await refusal(loadRunbooks(folder));
  expect(problems.map(({ file }) => file)).toEqual([join(folder, 'broken.yaml')]);
});

test('an unknown system is answered with those that there are', async () => {
  await write('payymo.yaml', good);
  const { message, problems } = await refusal(loadSystem(folder, 'paymo'));
  expect(message).toBe('There is no system "paymo".');
  expect(problems).toEqual([
    {
      field: '<system>',
      given: '"paymo"',
      allowed: `payymo, perhaps; the runbooks in ${folder} are: payymo`,
    },
  ]);
});

test('two files of one system are refused', async () => {
  await write('payymo.yaml', good);
  await write('payymo.yml', good);
  expect((await refusal(loadSystem(folder, 'payymo'))).message).toBe('Two files describe the system payymo.');
});

test('a folder without runbooks, a file that is missing, a folder as a file, a file that is far too large', async () => {
  expect((await refusal(loadRunbooks(folder))).message).toBe(`There are no runbooks in ${folder}.`);
  expect((await refusal(loadRunbook(join(folder, 'none.yaml')))).problems[0]?.given).toContain('ENOENT');
  expect((await refusal(loadRunbook(folder))).problems[0]?.given).toBe('no file');
  await write('large.yaml', '#'.repeat(1024 * 1024 + 1));
  expect((await refusal(loadRunbook(join(folder, 'large.yaml')))).problems[0]?.given).toBe('1048577 bytes');
});

test('the nearest known name', () => {
  const known = ['backupConfig', 'binDirectory', 'host', 'port'];
  expect(nearest('backup_config', known)).toBe('backupConfig');
  expect(nearest('hots', known)).toBe('host');
  expect(nearest('something-else', known)).toBeUndefined();
});
