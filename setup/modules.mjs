/** Whether node_modules is what package-lock.json says. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const STAMP = '.muster-stamp';

/**
 * What node_modules depends on: the lock file, and the platform that its native packages were chosen for.
 * @param {string} root
 */
export function modulesHash(root) {
  return createHash('sha256')
    .update(readFileSync(path.join(root, 'package-lock.json')))
    .update(`${process.platform} ${process.arch}`)
    .digest('hex');
}

/**
 * A folder that `npm install` left and that holds exactly what the lock file says is accepted, and stamped.
 * @param {string} root
 */
export function nodeModulesCurrent(root) {
  const folder = path.join(root, 'node_modules');
  // A program without the repository's lock file around it, as in a container, brings its modules along.
  if (!existsSync(path.join(root, 'package-lock.json'))) return existsSync(folder);
  const stamp = path.join(folder, STAMP);
  const hash = modulesHash(root);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return true;
  try {
    const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(readFileSync(path.join(folder, '.package-lock.json'), 'utf8')).packages;
    if (!sameModules(wanted, present)) return false;
    writeFileSync(stamp, hash);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} root */
export function stampModules(root) {
  writeFileSync(path.join(root, 'node_modules', STAMP), modulesHash(root));
}

/**
 * @typedef {Readonly<Record<string, { version?: string, integrity?: string, optional?: boolean, devOptional?: boolean }>>} LockedPackages
 * @param {LockedPackages} wanted `packages` of package-lock.json
 * @param {LockedPackages} present `packages` of node_modules/.package-lock.json
 */
export function sameModules(wanted, present) {
  for (const [place, lock] of Object.entries(wanted)) {
    if (place === '') continue;
    const have = present[place];
    if (have === undefined) {
      if (lock.optional === true || lock.devOptional === true) continue;
      return false;
    }
    if (have.version !== lock.version || have.integrity !== lock.integrity) return false;
  }
  return Object.keys(present).every((place) => place in wanted);
}
