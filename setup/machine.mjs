/** What the set-up needs to know about the machine. Nothing here starts a program. */

import { accessSync, constants, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Whether Node was started with this file.
 * @param {string} url the module's own
 */
export function isScript(url) {
  const started = process.argv[1];
  return started !== undefined && existsSync(started) && realpathSync(started) === fileURLToPath(url);
}

/**
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string} home
 */
export function cacheFolder(env, home) {
  const base = env.XDG_CACHE_HOME;
  // The XDG specification: a relative path is to be ignored.
  return path.join(base !== undefined && path.isAbsolute(base) ? base : path.join(home, '.cache'), 'muster');
}

/**
 * @param {Readonly<Record<string, string | undefined>>} env
 * @param {string} cacheDir
 */
export function manifestPath(env, cacheDir) {
  return env.MUSTER_PARTS || path.join(cacheDir, 'parts.json');
}

/**
 * @param {Readonly<Record<string, string | undefined>>} [env]
 * @returns {import('./types.d.ts').Machine}
 */
export function describeMachine(env = process.env) {
  const home = env.HOME || homedir();
  const { id, version } = operatingSystem();
  return {
    root: process.getuid?.() === 0,
    env,
    home,
    cacheDir: cacheFolder(env, home),
    platform: process.platform,
    arch: process.arch,
    osId: id,
    osVersion: version,
    useSystem: env.MUSTER_IGNORE_SYSTEM !== '1',
  };
}

function operatingSystem() {
  let text = '';
  try {
    text = readFileSync('/etc/os-release', 'utf8');
  } catch {
    return { id: process.platform, version: '' };
  }
  /** @param {string} key */
  const value = (key) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? '';
  return { id: value('ID') || 'unknown', version: value('VERSION_ID') };
}

/** @param {string} file */
export function isProgram(file) {
  try {
    if (!statSync(file).isFile()) return false;
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The first program of that name on PATH.
 * @param {string} name
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {string | null}
 */
export function onPath(name, env) {
  for (const folder of pathFolders(env)) {
    const file = path.join(folder, name);
    if (isProgram(file)) return file;
  }
  return null;
}

/**
 * PATH, and the system folders that a plain account's PATH often lacks.
 * @param {Readonly<Record<string, string | undefined>>} env
 */
export function pathFolders(env) {
  const folders = (env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return [...new Set([...folders, '/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'])];
}

/**
 * Whether the operating system has an account of that name.
 * @param {string} name
 */
export function hasAccount(name) {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`));
  } catch {
    return false;
  }
}
