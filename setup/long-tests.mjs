/** What the test commands that take options of their own, and long, have in common. */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { ROOT } from './machine.mjs';
import { pathWithParts } from './path.mjs';
import { SetupFailed } from './setup.mjs';

/**
 * @template T
 * @param {() => T} parse reads the command line
 * @param {string} help shown with what is wrong with it
 * @returns {T}
 * @throws SetupFailed
 */
export function parsed(parse, help) {
  try {
    return parse();
  } catch (error) {
    throw new SetupFailed(`${error instanceof Error ? error.message : String(error)}\n\n${help}`);
  }
}

/**
 * @param {readonly string[]} args of jest
 * @param {Parameters<typeof pathWithParts>[0]} parts that the tests start
 * @param {Record<string, string>} env besides that of this process
 * @returns {number} exit code
 */
export function runJest(args, parts, env) {
  const jest = path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const { status } = spawnSync(process.execPath, [jest, ...args], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, ...env, PATH: pathWithParts(parts, process.env.PATH ?? '') },
  });
  return status ?? 1;
}
