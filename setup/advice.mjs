/** What to tell a person whose machine lacks a part: why it is not installed for them, and the command that does it. */

import path from 'node:path';
import { cacheTarget } from './find.mjs';
import { PARTS } from './parts.mjs';

export const APT = 'apt-get install -y --no-install-recommends';

/**
 * The command that installs a part by hand on this machine.
 * @param {string} name
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').PartTable} [table]
 */
export function handCommand(name, machine, table = PARTS) {
  const spec = specOf(name, table);
  const { install } = spec;
  const target = cacheTarget(name, spec, machine);
  if (install.kind === 'go') {
    const modules = [install.module, ...(install.tools ?? [])].join(' ');
    return `GOBIN='${path.join(target, 'bin')}' go install ${modules}`;
  }
  if (install.kind === 'python') {
    return `python3 -m venv '${target}' && '${path.join(target, 'bin', 'pip')}' install ${install.requirement}`;
  }
  return `${machine.root ? '' : 'sudo '}${APT} ${install.packages.join(' ')}`;
}

/**
 * @param {string} name
 * @param {import('./types.d.ts').PartTable} table
 */
export function specOf(name, table) {
  const spec = table[name];
  if (spec === undefined) throw new Error(`There is no part named ${name}.`);
  return spec;
}

/**
 * @param {string} name
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').PartTable} table
 */
export function withoutApt(name, machine, table) {
  const spec = specOf(name, table);
  return {
    why: `there is no apt-get here to install it with; install it with this system's own packages (${spec.accepts.from} or later, below ${spec.accepts.below}), or name it with ${spec.override}`,
    command: handCommand(name, machine, table),
  };
}

/**
 * @param {string} name
 * @param {import('./types.d.ts').PartTable} table
 */
export function withoutPython(name, table) {
  return {
    why: `it needs Python 3.10 or later with venv; install that and run the set-up again, or name the program with ${specOf(name, table).override}`,
    command: 'sudo apt-get install -y --no-install-recommends python3 python3-venv',
  };
}

/**
 * @param {string} name
 * @param {import('./types.d.ts').PartTable} table
 */
export function withoutGo(name, table) {
  return {
    why: `it is built with Go, and neither Go 1.21 or later nor a Python that could bring it is here; install one and run the set-up again, or name the program with ${specOf(name, table).override}`,
    command: 'sudo apt-get install -y --no-install-recommends python3 python3-venv',
  };
}
