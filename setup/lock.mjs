/** Locks between set-ups that run side by side, and folders that appear whole or not at all. */

import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { onEnd } from './run.mjs';

const POLL_MS = 250;

/**
 * Runs `work` while no other process holds the lock. A lock whose holder is gone is taken over.
 * @template T
 * @param {string} file the lock
 * @param {() => Promise<T>} work
 * @param {(holder: string) => void} [waiting] told once when somebody else holds it
 * @returns {Promise<T>}
 */
export async function withLock(file, work, waiting = () => {}) {
  mkdirSync(path.dirname(file), { recursive: true });
  const me = `${process.pid} ${startOf(process.pid)}`;
  let told = false;
  while (!take(file, me)) {
    const holder = read(file);
    if (holder !== null && !alive(holder)) {
      release(file, holder);
      continue;
    }
    if (!told) waiting(holder?.split(' ')[0] ?? 'unknown');
    told = true;
    await pause(POLL_MS);
  }
  const forget = onEnd(() => release(file, me));
  try {
    return await work();
  } finally {
    forget();
    release(file, me);
  }
}

/**
 * The lock appears with its content in it, so that nobody sees it empty.
 * @param {string} file
 * @param {string} me
 */
function take(file, me) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, me);
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  } finally {
    unlinkSync(draft);
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/**
 * Only what the named holder wrote is removed: two set-ups may find the same dead holder at once.
 * @param {string} file
 * @param {string} holder
 */
function release(file, holder) {
  const aside = `${file}.gone-${process.pid}`;
  try {
    if (read(file) !== holder) return;
    renameSync(file, aside);
    if (read(aside) === holder) rmSync(aside, { force: true });
    else renameSync(aside, file);
  } catch {
    // Somebody else removed it first.
  }
}

/** @param {string} holder */
function alive(holder) {
  const [pid, start] = holder.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
  return startOf(Number(pid)) === start;
}

/**
 * When a process began, so that a number used again is not taken for the same process; `-` where that is not told.
 * @param {number} pid
 */
function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}

/**
 * Lets `fill` make a folder beside `target` and puts it there only when that succeeded. The caller holds the target's lock,
 * so that what an earlier one that was killed left beside it can go.
 * @param {string} target
 * @param {(draft: string) => Promise<void>} fill
 */
export async function makeWhole(target, fill) {
  const draft = `${target}.part-${process.pid}`;
  const clear = () => rmSync(draft, { recursive: true, force: true });
  mkdirSync(path.dirname(target), { recursive: true });
  for (const sibling of readdirSync(path.dirname(target))) {
    if (!/\.(part|old)-\d+$/.test(sibling) || !sibling.startsWith(`${path.basename(target)}.`)) continue;
    rmSync(path.join(path.dirname(target), sibling), { recursive: true, force: true });
  }
  mkdirSync(draft, { recursive: true });
  const forget = onEnd(clear);
  try {
    await fill(draft);
    const old = `${target}.old-${process.pid}`;
    try {
      renameSync(target, old);
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    }
    renameSync(draft, target);
    rmSync(old, { recursive: true, force: true });
  } finally {
    forget();
    clear();
  }
}
