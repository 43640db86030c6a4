/** Debian's packages for an account without rights: downloaded with an apt state of its own and unpacked into the cache. */

import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeWhole, withLock } from '../lock.mjs';
import { PARTS } from '../parts.mjs';
import { run } from '../run.mjs';

/** Where the packages put their programs; the first that holds one is taken. */
const PROGRAM_FOLDERS = ['usr/lib/postgresql/15/bin', 'usr/lib/chromium', 'usr/bin'];

/**
 * @param {import('../types.d.ts').Job} job
 * @param {import('./go.mjs').Effects} effects
 */
export async function installDebianPrivately(job, effects) {
  const { install, target } = job;
  if (install?.kind !== 'debian' || target === undefined) {
    throw new Error(`${job.id} is not one of Debian's packages.`);
  }
  await makeWhole(target, async (draft) => {
    const tree = path.join(draft, 'tree');
    await downloadPackages(install.packages, tree, effects);
    const programs = job.parts.flatMap((name) => PARTS[name]?.programs ?? []);
    writeStarters(draft, target, programs);
  });
}

/**
 * Packages and whatever they need that this system lacks, unpacked into a folder with their layout kept.
 * @param {readonly string[]} packages
 * @param {string} tree
 * @param {import('./go.mjs').Effects} effects
 */
export async function downloadPackages(packages, tree, { log, say, machine }) {
  const state = path.join(machine.cacheDir, 'apt');
  await withLock(path.join(machine.cacheDir, 'locks', 'apt.lock'), async () => {
    const archives = path.join(state, 'archives');
    for (const folder of ['state/lists/partial', 'archives/partial']) {
      mkdirSync(path.join(state, folder), { recursive: true });
    }
    const options = aptOptions(state, machine);
    /** @param {readonly string[]} args */
    const apt = (...args) =>
      run('apt-get', [...options, ...args], { log, onLine: say, env: { ...machine.env } });
    const download = async () => {
      clear(archives);
      await apt('install', '-y', '--no-install-recommends', '--download-only', '--reinstall', ...packages);
    };
    const lists = readdirSync(path.join(state, 'state', 'lists')).some((file) => /_Packages/.test(file));
    if (!lists) await apt('update');
    try {
      await download();
    } catch (error) {
      if (!lists) throw error;
      await apt('update');
      await download();
    }
    mkdirSync(tree, { recursive: true });
    for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
      say(`unpacking ${file}`);
      await run('dpkg-deb', ['-x', path.join(archives, file), tree], { log, timeoutMs: 300_000 });
    }
    clear(archives);
  });
}

/** @param {string} archives */
function clear(archives) {
  for (const file of readdirSync(archives)) {
    if (file.endsWith('.deb')) rmSync(path.join(archives, file), { force: true });
  }
}

/**
 * The system's sources and what it has installed, with everything that is written kept in a folder of our own.
 * @param {string} state
 * @param {import('../types.d.ts').Machine} machine
 */
export function aptOptions(state, machine) {
  return [
    `-oDir::State=${path.join(state, 'state')}`,
    `-oDir::State::status=${machine.env.MUSTER_DPKG_STATUS ?? '/var/lib/dpkg/status'}`,
    `-oDir::Cache=${state}`,
    '-oDir::Cache::pkgcache=',
    '-oDir::Cache::srcpkgcache=',
    `-oDir::Log=${state}`,
    '-oDebug::NoLocking=1',
    '-oAPT::Sandbox::User=',
    '-oAcquire::Retries=2',
  ];
}

/**
 * A starter for each program: a script that adds the unpacked libraries to those of the system. Callers need know nothing of it.
 * @param {string} draft
 * @param {string} target where the folder will be
 * @param {readonly string[]} programs
 */
export function writeStarters(draft, target, programs) {
  const tree = path.join(draft, 'tree');
  const folder = PROGRAM_FOLDERS.find((place) =>
    programs.some((program) => existsSync(path.join(tree, place, program))),
  );
  if (folder === undefined) throw new Error(`The packages hold none of ${programs.join(', ')}.`);
  const libraries = libraryFolders(tree).map((place) => path.join(target, 'tree', place));
  const bin = path.join(draft, 'bin');
  mkdirSync(bin);
  // PostgreSQL's programs look for each other in their folder; elsewhere only the part itself is meant.
  const names = folder.startsWith('usr/lib/postgresql') ? readdirSync(path.join(tree, folder)) : programs;
  for (const name of names) {
    if (!existsSync(path.join(tree, folder, name))) continue;
    const file = path.join(bin, name);
    writeFileSync(file, starter(path.join(target, 'tree', folder, name), libraries));
    chmodSync(file, 0o755);
  }
}

/**
 * @param {string} program
 * @param {readonly string[]} libraries
 */
export function starter(program, libraries) {
  /** @param {string} text */
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const path_ =
    libraries.length === 0
      ? ''
      : `LD_LIBRARY_PATH=${quoted(libraries.join(':'))}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\nexport LD_LIBRARY_PATH\n`;
  return `#!/bin/sh\n${path_}exec ${quoted(program)} "$@"\n`;
}

/**
 * Folders of the tree with shared libraries that the loader must find; those a program loads by their path do not count.
 * @param {string} tree
 * @returns {string[]}
 */
export function libraryFolders(tree) {
  /** @type {string[]} */
  const found = [];
  /**
   * @param {string} folder
   * @param {number} depth
   */
  const walk = (folder, depth) => {
    let entries;
    try {
      entries = readdirSync(path.join(tree, folder), { withFileTypes: true });
    } catch {
      return;
    }
    if (entries.some((entry) => !entry.isDirectory() && /^lib.+\.so(\.\d|$)/.test(entry.name)))
      found.push(folder);
    if (depth === 0) return;
    for (const entry of entries) if (entry.isDirectory()) walk(path.join(folder, entry.name), depth - 1);
  };
  for (const base of ['lib', 'usr/lib']) walk(base, 3);
  return found;
}
