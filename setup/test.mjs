#!/usr/bin/env node
/** `npm test`: set-up, build, types, lint, then the tests. The last line is `N passed, N failed`. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { build, COMPILER } from './build.mjs';
import { ROOT } from './machine.mjs';
import { pathWithParts } from './path.mjs';
import { setUp } from './setup.mjs';
import { count } from './tally.mjs';

/**
 * @param {string} title
 * @param {string[]} args
 * @returns {boolean}
 */
function node(title, args) {
  process.stderr.write(`\n${title}\n`);
  return spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status === 0;
}

/** @param {string} name */
function module(name) {
  return path.join(ROOT, 'node_modules', name);
}

/** @returns {Promise<import('./tally.mjs').Tally>} */
async function main() {
  try {
    const { parts } = await setUp({ tests: true });
    process.env.PATH = pathWithParts(parts, process.env.PATH ?? '');
    await build();
  } catch (error) {
    if (!(error instanceof Error) || !('exitCode' in error)) throw error;
    process.stderr.write(`${error.message}\n`);
    return { passed: 0, failed: 1, skipped: 0, exitCode: Number(error.exitCode) };
  }
  const tsc = path.join(ROOT, COMPILER);
  const checks = [
    node('types', [tsc, '-p', 'tsconfig.test.json']),
    node('types of the set-up', [tsc, '-p', 'setup/tsconfig.json']),
    node('lint', [module('@biomejs/biome/bin/biome'), 'check', '.']),
  ];
  const results = path.join(ROOT, '.muster', `test-results-${process.pid}.json`);
  mkdirSync(path.dirname(results), { recursive: true });
  const ended = node('tests', [
    module('jest/bin/jest.js'),
    '--maxWorkers=2',
    '--json',
    `--outputFile=${results}`,
    ...process.argv.slice(2),
  ]);
  try {
    return count(JSON.parse(readFileSync(results, 'utf8')), checks, ended);
  } catch {
    return count(null, checks, ended);
  } finally {
    rmSync(results, { force: true });
  }
}

const { passed, failed, skipped, exitCode } = await main();
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = exitCode;
