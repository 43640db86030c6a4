#!/usr/bin/env node
/** `npm run build`: the sources compiled to dist/, with the workflows in one bundle. Skipped when the sources are those built last. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { installNodeModules } from './install/npm.mjs';
import { makeWhole, withLock } from './lock.mjs';
import { describeMachine, isScript, ROOT } from './machine.mjs';
import { nodeModulesCurrent } from './modules.mjs';
import { createProgress, seconds } from './progress.mjs';
import { runScript } from './setup.mjs';

const FOLDERS = ['src', 'workflows', 'activities', 'lab', 'bench'];
const STAMP = 'built-from';
/** Not its `bin/tsc`: Node before 20.10 does not load a module without an extension. */
export const COMPILER = 'node_modules/typescript/lib/tsc.js';

/** The sources do not compile; the compiler's own words are in the message. */
export class BuildFailed extends Error {
  exitCode = 2;
}

/**
 * Node modules and dist made if they are not what the sources say; nothing else is looked for.
 * @param {BuildOptions} [options]
 */
export async function buildIfStale(options = {}) {
  const { root = ROOT } = options;
  if (!existsSync(path.join(root, 'tsconfig.json'))) return;
  if (!nodeModulesCurrent(root)) {
    const progress = createProgress();
    progress.begin('node-modules', 'Node modules', 'about 30 seconds');
    const log = path.join(describeMachine().cacheDir, 'logs', 'node-modules.log');
    await installNodeModules(root, { log, say: (line) => progress.say('node-modules', line) });
    progress.done('node-modules', 'done');
  }
  await build(options);
}

/**
 * @typedef {object} BuildOptions
 * @property {string} [root] the repository
 * @property {boolean} [despiteErrors] what could be compiled is used in spite of type errors, and built anew the next time
 */

/**
 * @param {BuildOptions} [options]
 * @throws BuildFailed
 */
export async function build({ root = ROOT, despiteErrors = false } = {}) {
  const dist = path.join(root, 'dist');
  const stamp = path.join(dist, STAMP);
  if (isBuilt(stamp, sourcesHash(root))) return;
  await withLock(path.join(root, '.muster', 'build.lock'), async () => {
    const hash = sourcesHash(root);
    if (isBuilt(stamp, hash)) return;
    const begun = performance.now();
    process.stderr.write('build: compiling\n');
    await makeWhole(dist, async (draft) => {
      let errors = compile(root, draft);
      if (errors !== null && !despiteErrors) throw new BuildFailed(errors);
      copyAssets(root, draft);
      errors = [errors, bundle(root, draft)].filter((text) => text !== null).join('\n') || null;
      if (errors !== null && !despiteErrors) throw new BuildFailed(errors);
      if (errors === null) writeFileSync(path.join(draft, STAMP), hash);
      else process.stderr.write(`${errors}\n`);
    });
    process.stderr.write(`build: done, ${seconds(performance.now() - begun)}\n`);
  });
}

/**
 * @param {string} stamp
 * @param {string} hash
 */
function isBuilt(stamp, hash) {
  try {
    return readFileSync(stamp, 'utf8') === hash;
  } catch {
    return false;
  }
}

/**
 * Everything that goes into dist: sources, settings, the compiler's and bundler's versions by way of the lock file.
 * @param {string} root
 */
export function sourcesHash(root) {
  const hash = createHash('sha256');
  const settings = ['tsconfig.json', 'package-lock.json', 'setup/build.mjs', 'setup/bundle.mjs'];
  for (const file of [...settings, ...sourceFiles(root)]) {
    hash.update(`\0${file}\0`);
    if (existsSync(path.join(root, file))) hash.update(readFileSync(path.join(root, file)));
  }
  return hash.digest('hex');
}

/**
 * @param {string} root
 * @returns {string[]} relative paths, sorted
 */
export function sourceFiles(root) {
  /** @type {string[]} */
  const files = [];
  /** @param {string} folder */
  const walk = (folder) => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(file);
      else if (entry.isFile()) files.push(file);
    }
  };
  for (const folder of FOLDERS) if (existsSync(path.join(root, folder))) walk(folder);
  return files.sort();
}

/**
 * @param {string} root
 * @param {string} out
 * @returns {string | null} the compiler's errors
 */
function compile(root, out) {
  const tsc = path.join(root, COMPILER);
  const config = path.join(root, 'tsconfig.json');
  return runNode(root, [tsc, '-p', config, '--outDir', out], 'The sources do not compile');
}

/**
 * Templates, SQL and the like stay beside the code that reads them.
 * @param {string} root
 * @param {string} out
 */
function copyAssets(root, out) {
  for (const file of sourceFiles(root)) {
    if (/\.ts$/.test(file) || existsSync(path.join(out, file))) continue;
    mkdirSync(path.dirname(path.join(out, file)), { recursive: true });
    copyFileSync(path.join(root, file), path.join(out, file));
  }
}

/**
 * @param {string} root
 * @param {string} out
 * @returns {string | null} the bundler's errors
 */
function bundle(root, out) {
  const entry = path.join(out, 'workflows', 'index.js');
  if (!existsSync(entry)) return null;
  const script = path.join(root, 'setup', 'bundle.mjs');
  const target = path.join(out, 'workflow-bundle.js');
  return runNode(root, [script, entry, target], 'The workflows cannot be bundled');
}

/**
 * @param {string} root
 * @param {string[]} args
 * @param {string} failure
 * @returns {string | null}
 */
function runNode(root, args, failure) {
  const run = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return run.status === 0 ? null : `${failure}:\n${run.stdout}${run.stderr}`.trimEnd();
}

if (isScript(import.meta.url)) {
  void runScript(() => buildIfStale({ despiteErrors: process.argv.includes('--despite-errors') }));
}
