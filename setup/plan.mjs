/** What to do about what is missing: a pure function of what is missing and what the machine offers. */

import path from 'node:path';
import { APT, handCommand, specOf, withoutApt, withoutGo, withoutPython } from './advice.mjs';
import { cacheTarget } from './find.mjs';
import { GO_TOOLCHAIN, PARTS } from './parts.mjs';

/**
 * @param {readonly string[]} missing names of parts
 * @param {import('./types.d.ts').Facilities} facilities
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').PartTable} [table]
 * @returns {import('./types.d.ts').Plan}
 */
export function planSetup(missing, facilities, machine, table = PARTS) {
  /** @type {import('./types.d.ts').Job[]} */
  const jobs = [];
  /** @type {import('./types.d.ts').Impossible[]} */
  const impossible = [];
  /** @param {import('./types.d.ts').Installation['kind']} kind */
  const of = (kind) => missing.filter((name) => table[name]?.install.kind === kind);

  if (!facilities.nodeModulesCurrent) jobs.push(nodeModules());
  const goParts = of('go');
  const needsGo = goParts.length > 0 && facilities.go === null;
  const needsPython = of('python').length > 0 || needsGo;

  // Where the system's own programs do not count, installing them there would not help.
  const canUseApt = facilities.apt && facilities.privilege !== 'none' && machine.useSystem;
  const pythonPackages =
    !needsPython || (facilities.python !== null && facilities.pythonHasPip)
      ? []
      : facilities.python === null
        ? ['python3', 'python3-venv']
        : ['python3-venv'];
  const debian = of('debian');
  if (canUseApt && (debian.length > 0 || pythonPackages.length > 0)) {
    jobs.push(system(debian, pythonPackages, facilities, machine, table));
  } else if (facilities.apt) {
    const targets = new Map(debian.map((name) => [cacheTarget(name, specOf(name, table), machine), name]));
    for (const [target, first] of targets) {
      const parts = debian.filter((name) => cacheTarget(name, specOf(name, table), machine) === target);
      jobs.push(privately(first, parts, machine, table));
    }
  } else {
    for (const name of debian) impossible.push({ part: name, ...withoutApt(name, machine, table) });
  }

  // A Python without pip is still enough: pip comes from a package that is unpacked beside it.
  const pythonWorks =
    pythonPackages.length === 0 || canUseApt || (facilities.python !== null && facilities.apt);
  const pythonNeeds = pythonPackages.length > 0 && canUseApt ? ['system'] : [];
  if (needsGo && pythonWorks) jobs.push(toolchain(pythonNeeds, machine));
  for (const name of of('python')) {
    if (pythonWorks) jobs.push(python(name, pythonNeeds, machine, table));
    else impossible.push({ part: name, ...withoutPython(name, table) });
  }
  for (const name of goParts) {
    if (!needsGo || pythonWorks) jobs.push(go(name, needsGo ? ['go'] : [], machine, table));
    else impossible.push({ part: name, ...withoutGo(name, table) });
  }
  if (machine.root && !facilities.postgresAccount && !jobs.some((job) => job.id === 'system')) {
    jobs.push(account());
  }
  return { jobs, impossible };
}

/** @returns {import('./types.d.ts').Job} */
function nodeModules() {
  return {
    id: 'node-modules',
    title: 'Node modules',
    kind: 'npm',
    parts: [],
    needs: [],
    lane: 'npm',
    takes: 'about 30 seconds',
    command: 'npm ci --include=dev',
  };
}

/**
 * One call for all packages: apt resolves them once.
 * @param {readonly string[]} parts
 * @param {readonly string[]} extra
 * @param {import('./types.d.ts').Facilities} facilities
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').PartTable} table
 * @returns {import('./types.d.ts').Job}
 */
function system(parts, extra, facilities, machine, table) {
  const packages = parts.flatMap((name) => {
    const { install } = specOf(name, table);
    return install.kind === 'debian' ? install.packages : [];
  });
  const all = [...new Set([...packages, ...extra])];
  return {
    id: 'system',
    title: `System packages ${all.join(', ')}`,
    kind: 'debian',
    parts,
    needs: [],
    lane: 'apt',
    takes: 'about 1 minute',
    command: `${machine.root ? '' : 'sudo '}${APT} ${all.join(' ')}`,
    packages: all,
    prefix: facilities.privilege === 'sudo' ? ['sudo', '-n'] : [],
  };
}

/**
 * @param {string} name
 * @param {readonly string[]} parts all that come in the same packages
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').PartTable} table
 * @returns {import('./types.d.ts').Job}
 */
function privately(name, parts, machine, table) {
  const spec = specOf(name, table);
  return {
    id: spec.folder ?? name,
    title: `${parts.map((part) => specOf(part, table).title).join(', ')}, for this account only`,
    kind: 'debian-private',
    parts,
    needs: [],
    lane: 'apt',
    takes: spec.takes,
    command: handCommand(name, machine, table),
    install: spec.install,
    target: cacheTarget(name, spec, machine),
  };
}

/**
 * @param {string} name
 * @param {readonly string[]} needs
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').PartTable} table
 * @returns {import('./types.d.ts').Job}
 */
function python(name, needs, machine, table) {
  const spec = specOf(name, table);
  return {
    id: name,
    title: `${spec.title} (${name} ${spec.version})`,
    kind: 'python',
    parts: [name],
    needs,
    lane: 'python',
    takes: spec.takes,
    command: handCommand(name, machine, table),
    install: spec.install,
    target: cacheTarget(name, spec, machine),
  };
}

/**
 * @param {readonly string[]} needs
 * @param {import('./types.d.ts').Machine} machine
 * @returns {import('./types.d.ts').Job}
 */
function toolchain(needs, machine) {
  return {
    id: 'go',
    title: `Go ${GO_TOOLCHAIN.version}, to build parts with`,
    kind: 'python',
    parts: [],
    needs,
    lane: 'python',
    takes: 'about 15 seconds',
    command: 'install Go 1.26 or later (https://go.dev/dl) and put it on PATH',
    install: { kind: 'python', requirement: GO_TOOLCHAIN.requirement },
    target: goTarget(machine),
  };
}

/** @param {import('./types.d.ts').Machine} machine */
export function goTarget(machine) {
  return path.join(machine.cacheDir, `go-${GO_TOOLCHAIN.version}`);
}

/**
 * @param {string} name
 * @param {readonly string[]} needs
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').PartTable} table
 * @returns {import('./types.d.ts').Job}
 */
function go(name, needs, machine, table) {
  const spec = specOf(name, table);
  return {
    id: name,
    title: `${spec.title} (${name} ${spec.version})`,
    kind: 'go',
    parts: [name],
    needs,
    lane: 'go',
    takes: spec.takes,
    command: handCommand(name, machine, table),
    install: spec.install,
    target: cacheTarget(name, spec, machine),
  };
}

/** @returns {import('./types.d.ts').Job} */
function account() {
  const command = 'useradd --system --home-dir /var/lib/postgresql --shell /bin/bash postgres';
  return {
    id: 'postgres-account',
    title: 'Account postgres, because PostgreSQL does not run as root',
    kind: 'account',
    parts: [],
    needs: [],
    lane: 'apt',
    takes: 'about 1 second',
    command,
  };
}
