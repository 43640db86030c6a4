import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { build, sourcesHash } from '../../setup/build.mjs';
import { modulesHash, nodeModulesCurrent, sameModules, stampModules } from '../../setup/modules.mjs';
import { temporaryFolder } from './support.js';

describe('node modules', () => {
  const lock = {
    '': {},
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/b-darwin': { version: '2.0.0', optional: true },
  };
  const installed = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };

  test('are accepted when they are what is locked, whatever belongs to other platforms', () => {
    expect(sameModules(lock, installed)).toBe(true);
    expect(sameModules(lock, {})).toBe(false);
    expect(sameModules(lock, { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } })).toBe(false);
    expect(sameModules(lock, { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } })).toBe(false);
    expect(sameModules(lock, { ...installed, 'node_modules/c': { version: '3.0.0' } })).toBe(false);
  });

  test('are current as long as the lock file is the one they were installed from', () => {
    const root = temporaryFolder();
    const write = (name: string, content: unknown) =>
      writeFileSync(path.join(root, name), JSON.stringify(content));
    write('package-lock.json', { packages: lock });
    expect(nodeModulesCurrent(root)).toBe(false);
    mkdirSync(path.join(root, 'node_modules'));
    expect(nodeModulesCurrent(root)).toBe(false);
    stampModules(root);
    expect(nodeModulesCurrent(root)).toBe(true);
    write('package-lock.json', { packages: { ...lock, 'node_modules/c': { version: '3.0.0' } } });
    expect(nodeModulesCurrent(root)).toBe(false);
    // What somebody installed without the set-up is looked at, accepted and stamped.
    write('package-lock.json', { packages: lock });
    rmSync(path.join(root, 'node_modules', '.muster-stamp'));
    write('node_modules/.package-lock.json', { packages: installed });
    expect(nodeModulesCurrent(root)).toBe(true);
    expect(readFileSync(path.join(root, 'node_modules', '.muster-stamp'), 'utf8')).toBe(modulesHash(root));
  });
});

describe('the build', () => {
  const root = temporaryFolder();
  const source = path.join(root, 'src', 'answer.ts');
  const built = path.join(root, 'dist', 'src', 'answer.js');

  beforeAll(() => {
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    cpSync('tsconfig.json', path.join(root, 'tsconfig.json'));
    writeFileSync(path.join(root, 'package.json'), '{"type":"module"}');
    symlinkSync(path.resolve('node_modules'), path.join(root, 'node_modules'));
    mkdirSync(path.join(root, 'src', 'sql'), { recursive: true });
    writeFileSync(source, 'export const answer: number = 41;\n');
    writeFileSync(path.join(root, 'src', 'sql', 'schema.sql'), 'create table t ();\n');
  });

  afterAll(() => jest.restoreAllMocks());

  test('compiles, copies what is not code, and is skipped until a source changes', async () => {
    await build({ root });
    const { ino } = statSync(built);
    expect(readFileSync(path.join(root, 'dist', 'src', 'sql', 'schema.sql'), 'utf8')).toContain(
      'create table',
    );
    await build({ root });
    expect(statSync(built).ino).toBe(ino);

    writeFileSync(source, 'export const answer: number = 42;\n');
    await build({ root });
    expect(readFileSync(built, 'utf8')).toContain('42');
  });

  test('says what does not compile, and leaves the last build as it was', async () => {
    const good = sourcesHash(root);
    writeFileSync(source, 'export const answer: number = "42";\n');
    await expect(build({ root })).rejects.toThrow(
      /The sources do not compile:\n.*answer\.ts\(1,14\): error TS2322/,
    );
    expect(readFileSync(built, 'utf8')).toContain('answer = 42');
    await build({ root, despiteErrors: true });
    expect(readFileSync(built, 'utf8')).toContain('"42"');
    // Nobody takes that for a good build later on.
    expect(existsSync(path.join(root, 'dist', 'built-from'))).toBe(false);
    writeFileSync(source, 'export const answer: number = 42;\n');
    expect(sourcesHash(root)).toBe(good);
  });

  test('drops what has no source any more', async () => {
    const extra = path.join(root, 'src', 'extra.ts');
    writeFileSync(extra, 'export {};\n');
    await build({ root });
    expect(existsSync(path.join(root, 'dist', 'src', 'extra.js'))).toBe(true);
    rmSync(extra);
    await build({ root });
    expect(existsSync(path.join(root, 'dist', 'src', 'extra.js'))).toBe(false);
  });

  test('bundles the workflows into one file, or says what is missing', async () => {
    const entry = path.join(root, 'bundled', 'index.js');
    mkdirSync(path.dirname(entry));
    writeFileSync(entry, 'export async function aWorkflowOfItsOwn() { return 1; }\n');
    const out = path.join(path.dirname(entry), 'bundle.js');
    const run = spawnSync(process.execPath, ['setup/bundle.mjs', entry, out], { encoding: 'utf8' });
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(out, 'utf8')).toContain('aWorkflowOfItsOwn');
    writeFileSync(entry, 'export { nothing } from "./nowhere.js";\n');
    const broken = spawnSync(process.execPath, ['setup/bundle.mjs', entry, out], { encoding: 'utf8' });
    expect(broken.status).toBe(1);
    expect(broken.stderr).toContain("Can't resolve './nowhere.js'");
  });
});
