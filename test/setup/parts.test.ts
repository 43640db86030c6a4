import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cacheFolder, manifestPath } from '../../setup/machine.mjs';
import { PARTS } from '../../setup/parts.mjs';
import { loadParts, PART_NAMES, partsFile, postgresProgram } from '../../src/parts.js';
import { program, temporaryFolder } from './support.js';

const here = temporaryFolder();
const file = path.join(here, 'parts.json');
const env = { MUSTER_PARTS: file };
const dig = program(path.join(here, 'bin', 'dig'), 'dig');

function write(content: unknown): void {
  writeFileSync(file, JSON.stringify(content));
}

function thrownBy(action: () => unknown): Record<string, unknown> {
  try {
    action();
  } catch (thrown) {
    return thrown as Record<string, unknown>;
  }
  throw new Error('Nothing was thrown.');
}

test('set-up and Muster agree on the parts and on where they are listed', () => {
  expect([...PART_NAMES].sort()).toEqual(Object.keys(PARTS).sort());
  for (const env of [
    { HOME: '/home/someone' },
    { HOME: '/home/someone', XDG_CACHE_HOME: '/var/cache/x' },
    { HOME: '/home/someone', XDG_CACHE_HOME: 'relative' },
    { HOME: '/home/someone', MUSTER_PARTS: '/elsewhere/parts.json' },
  ]) {
    expect(partsFile(env)).toBe(manifestPath(env, cacheFolder(env, env.HOME)));
  }
});

test('a part that was found is given with its version and folder', () => {
  const part = { path: dig, version: '9.18.1', source: 'system', extra: { binDir: path.dirname(dig) } };
  write({ format: 1, parts: { dig: part, postgresql: { ...part, version: '15.2' } }, probes: {} });
  const parts = loadParts(env);
  expect(parts.dig).toMatchObject({ path: dig, version: '9.18.1' });
  expect(postgresProgram(parts, 'pg_ctl')).toBe(path.join(here, 'bin', 'pg_ctl'));
});

test('a part that is not listed, or not there any more, is missing; the others are not', () => {
  const gone = program(path.join(here, 'bin', 'coredns'), '');
  const listed = (at: string) => ({
    path: at,
    version: '1',
    source: 'cache',
    extra: { binDir: path.dirname(at) },
  });
  write({ format: 1, parts: { dig: listed(dig), coredns: listed(gone) }, probes: {} });
  rmSync(gone);
  const parts = loadParts(env);
  expect(parts.dig.path).toBe(dig);
  expect(thrownBy(() => parts.temporal)).toMatchObject({
    code: 'PartMissing',
    message: 'The part temporal is missing.',
    next: 'Run "npm run setup"; it installs temporal or says how to.',
  });
  expect(thrownBy(() => parts.coredns)).toMatchObject({
    code: 'PartMissing',
    why: `${gone} is not there any more`,
  });
  expect(thrownBy(() => parts.chromium)).toMatchObject({
    next: expect.stringContaining('npm run setup -- --tests'),
  });
});

test('without a list that can be read, the set-up is what to run', () => {
  write({ format: 2 });
  expect(thrownBy(() => loadParts(env))).toMatchObject({
    code: 'PartsUnknown',
    next: 'Run "npm run setup".',
  });
  rmSync(file);
  expect(thrownBy(() => loadParts(env))).toMatchObject({
    code: 'PartsUnknown',
    message: `It is not known where Muster's parts are: cannot read ${file}.`,
  });
});
