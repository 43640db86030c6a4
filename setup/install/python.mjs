/** Parts and tools from the Python package index, each in a virtual environment of its own. */

import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeWhole } from '../lock.mjs';
import { run } from '../run.mjs';
import { downloadPackages } from './debian-private.mjs';

const SETUP = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * @param {import('../types.d.ts').Job} job
 * @param {{ python: string, hasPip: boolean }} tools
 * @param {import('./go.mjs').Effects} effects
 */
export async function installPython(job, { python, hasPip }, { log, say, machine }) {
  const { install, target } = job;
  if (install?.kind !== 'python' || target === undefined) throw new Error(`${job.id} is not a Python part.`);
  await makeWhole(target, async (draft) => {
    say('python3 -m venv');
    await run(python, ['-m', 'venv', ...(hasPip ? [] : ['--without-pip']), draft], {
      log,
      timeoutMs: 120_000,
    });
    const own = path.join(draft, 'bin', 'python3');
    const pip = hasPip ? ['-m', 'pip'] : [await unpackPip(draft, { log, say, machine })];
    const constraints =
      install.constraints === undefined ? [] : ['-c', path.join(SETUP, install.constraints)];
    await run(own, [...pip, 'install', '--no-input', ...constraints, install.requirement], {
      log,
      onLine: say,
      timeoutMs: 10 * 60_000,
    });
    relocate(path.join(draft, 'bin'), draft, target);
  });
}

/**
 * Debian's Python comes without pip; its package holds a wheel that runs as it is.
 * @param {string} draft
 * @param {import('./go.mjs').Effects} effects
 * @returns {Promise<string>} what Python runs
 */
async function unpackPip(draft, effects) {
  const tree = path.join(draft, 'pip-package');
  await downloadPackages(['python3-pip-whl'], tree, effects);
  const wheels = path.join(tree, 'usr', 'share', 'python-wheels');
  const wheel = readdirSync(wheels).find((file) => file.startsWith('pip-'));
  if (wheel === undefined) throw new Error('The package python3-pip-whl holds no pip.');
  const kept = path.join(draft, wheel);
  renameSync(path.join(wheels, wheel), kept);
  rmSync(tree, { recursive: true, force: true });
  return path.join(kept, 'pip');
}

/**
 * Scripts of a virtual environment name its folder; they must name the one it is moved to.
 * @param {string} bin
 * @param {string} from
 * @param {string} to
 */
export function relocate(bin, from, to) {
  for (const entry of readdirSync(bin, { withFileTypes: true })) {
    const file = path.join(bin, entry.name);
    if (!entry.isFile() || statSync(file).size > 65_536) continue;
    const text = readFileSync(file, 'utf8');
    if (text.includes(from)) writeFileSync(file, text.replaceAll(from, to));
  }
}
