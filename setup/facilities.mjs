/** What this machine offers for installing parts. Programs are started here, so it is only asked when something is missing. */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { hasAccount, isProgram, onPath, pathFolders } from './machine.mjs';
import { nodeModulesCurrent } from './modules.mjs';
import { GO_ACCEPTS, GO_TOOLCHAIN, PYTHON_ACCEPTS } from './parts.mjs';
import { goTarget } from './plan.mjs';
import { acceptable } from './versions.mjs';

/**
 * @param {import('./types.d.ts').Machine} machine
 * @param {string} root the repository
 * @returns {import('./types.d.ts').Facilities}
 */
export function lookUpFacilities(machine, root) {
  const python = findPython(machine);
  return {
    go: findGo(machine),
    python,
    pythonHasPip: python !== null && succeeds(python, ['-c', 'import venv, ensurepip']),
    apt: machine.platform === 'linux' && onPath('apt-get', machine.env) !== null,
    privilege: machine.root ? 'root' : hasSudo(machine) ? 'sudo' : 'none',
    postgresAccount: hasAccount('postgres'),
    nodeModulesCurrent: nodeModulesCurrent(root),
  };
}

/** @param {import('./types.d.ts').Machine} machine */
export function findGo(machine) {
  const places = [path.join(goTarget(machine), 'bin', GO_TOOLCHAIN.program)];
  const system = [...pathFolders(machine.env), '/usr/local/go/bin'].map((folder) => path.join(folder, 'go'));
  const chosen = machine.env.MUSTER_GO;
  for (const file of chosen ? [chosen] : machine.useSystem ? [...system, ...places] : places) {
    if (!isProgram(file)) continue;
    const version = /\bgo(\d+(?:\.\d+)+)/.exec(says(file, ['version']) ?? '')?.[1];
    if (version !== undefined && acceptable(version, GO_ACCEPTS)) return file;
  }
  return null;
}

/** @param {import('./types.d.ts').Machine} machine */
export function findPython(machine) {
  const names = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10'];
  const chosen = machine.env.MUSTER_PYTHON;
  const files = chosen
    ? [chosen]
    : names.flatMap((name) => pathFolders(machine.env).map((folder) => path.join(folder, name)));
  for (const file of files) {
    if (!isProgram(file)) continue;
    const version = /Python (\d+(?:\.\d+)+)/.exec(says(file, ['--version']) ?? '')?.[1];
    if (version !== undefined && acceptable(version, PYTHON_ACCEPTS)) return file;
  }
  return null;
}

/** @param {import('./types.d.ts').Machine} machine */
function hasSudo(machine) {
  const sudo = onPath('sudo', machine.env);
  return sudo !== null && machine.env.MUSTER_NO_SUDO !== '1' && succeeds(sudo, ['-n', 'true']);
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 */
function says(file, args) {
  const run = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000 });
  return run.status === 0 ? `${run.stdout}${run.stderr}` : null;
}

/**
 * @param {string} file
 * @param {readonly string[]} args
 */
function succeeds(file, args) {
  return says(file, args) !== null;
}
