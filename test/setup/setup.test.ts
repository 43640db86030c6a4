/** The set-up as a person starts it, with everything it looks for named by overrides: nothing is installed. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PARTS, partNames } from '../../setup/parts.mjs';
import { loadParts } from '../../src/parts.js';
import { program, temporaryFolder } from './support.js';

const here = temporaryFolder();
const asked = path.join(here, 'asked');
const overrides: Record<string, string> = {};

beforeAll(() => {
  writeFileSync(asked, '');
  for (const [name, spec] of Object.entries(PARTS)) {
    const file = program(path.join(here, 'programs', name), '');
    writeFileSync(file, `#!/bin/sh\necho ${name} >>'${asked}'\necho 'version ${spec.accepts.from}.0'\n`);
    for (const companion of spec.companions ?? []) program(path.join(here, 'programs', companion), '');
    overrides[spec.override] = file;
  }
});

function setUp(args: readonly string[] = [], changes: Record<string, string> = {}) {
  return spawnSync(process.execPath, [path.resolve('setup/setup.mjs'), ...args], {
    encoding: 'utf8',
    cwd: here,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: here,
      XDG_CACHE_HOME: path.join(here, 'cache'),
      ...overrides,
      ...changes,
    },
  });
}

const manifest = path.join(here, 'cache', 'muster', 'parts.json');

test('what it found can be read by Muster, and the second time no program is asked again', () => {
  const first = setUp(['--tests']);
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.stdout).toContain(
    `ministack   unknown           ${path.join(here, 'programs', 'ministack')}\n`,
  );
  const parts = loadParts({ MUSTER_PARTS: manifest });
  expect(parts.temporal).toMatchObject({ path: overrides.MUSTER_TEMPORAL, version: '1.5.1.0' });
  expect(parts.postgresql.extra.account).toBe(process.getuid?.() === 0 ? 'postgres' : undefined);

  const questions = readFileSync(asked, 'utf8');
  expect(questions.split('\n').sort()).toEqual(
    ['', ...partNames({ tests: true }).filter((name) => name !== 'ministack')].sort(),
  );
  const written = readFileSync(manifest, 'utf8');
  expect(setUp(['--tests'])).toMatchObject({ status: 0, stdout: first.stdout });
  expect(readFileSync(asked, 'utf8')).toBe(questions);
  expect(readFileSync(manifest, 'utf8')).toBe(written);
});

test('a set-up without the parts of the tests remembers them', () => {
  setUp(['--tests']);
  expect(setUp()).toMatchObject({ status: 0 });
  expect(loadParts({ MUSTER_PARTS: manifest }).chromium.path).toBe(overrides.MUSTER_CHROMIUM);
});

test('the list can be kept elsewhere', () => {
  const elsewhere = path.join(here, 'elsewhere', 'list.json');
  expect(setUp(['--parts', 'dig,openssl'], { MUSTER_PARTS: elsewhere })).toMatchObject({ status: 0 });
  expect(Object.keys(JSON.parse(readFileSync(elsewhere, 'utf8')).parts)).toEqual(['dig', 'openssl']);
});

test('an override that cannot be used is named, everything else is looked at all the same, and exit code is 2', () => {
  const old = program(path.join(here, 'old', 'dig'), 'DiG 9.10.1');
  const list = path.join(here, 'broken.json');
  const run = setUp([], { MUSTER_DIG: old, MUSTER_COREDNS: '/nowhere/coredns', MUSTER_PARTS: list });
  expect(run).toMatchObject({ status: 2, stdout: '' });
  expect(run.stderr).toBe(
    `DNS server (coredns): MUSTER_COREDNS names /nowhere/coredns, which is not a program that can be started. Correct or unset MUSTER_COREDNS.

dig (dig): MUSTER_DIG names ${old}, which is version 9.10.1; it takes 9.16 or later, below 10. Correct or unset MUSTER_DIG.
`,
  );
  expect(existsSync(list)).toBe(true);
  expect(loadParts({ MUSTER_PARTS: list }).temporal.path).toBe(overrides.MUSTER_TEMPORAL);
});

test('a part that does not exist cannot be asked for', () => {
  expect(setUp(['--parts', 'dig,sqlite'])).toMatchObject({
    status: 2,
    stderr: expect.stringContaining('there is no part named "sqlite". Allowed: temporal, '),
  });
});

test('a program that changed is asked again', () => {
  setUp(['--tests']);
  writeFileSync(asked, '');
  appendFileSync(overrides.MUSTER_NSUPDATE ?? '', '# another build\n');
  setUp(['--tests']);
  expect(readFileSync(asked, 'utf8')).toBe('nsupdate\n');
});
