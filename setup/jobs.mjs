/** Carries a plan out: what is independent side by side, one lane's jobs one after another, and every failure kept for the end. */

import path from 'node:path';
import { findGo, lookUpFacilities } from './facilities.mjs';
import { createAccount, installDebian } from './install/debian.mjs';
import { installDebianPrivately } from './install/debian-private.mjs';
import { installGo, removeBuildFiles } from './install/go.mjs';
import { installNodeModules } from './install/npm.mjs';
import { installPython } from './install/python.mjs';
import { withLock } from './lock.mjs';
import { isProgram } from './machine.mjs';
import { GO_TOOLCHAIN, PARTS } from './parts.mjs';
import { CommandFailed } from './run.mjs';

/**
 * @typedef {object} Failure
 * @property {string} title
 * @property {readonly string[]} parts
 * @property {string} why
 * @property {string} command
 */

/**
 * @typedef {object} Surroundings
 * @property {import('./types.d.ts').Machine} machine
 * @property {import('./types.d.ts').Facilities} facilities
 * @property {string} root the repository
 * @property {import('./progress.mjs').Progress} progress
 */

/**
 * @param {readonly import('./types.d.ts').Job[]} jobs
 * @param {Surroundings} surroundings
 * @param {typeof carryOut} [perform]
 * @returns {Promise<Map<string, Failure>>} by job
 */
export async function runJobs(jobs, surroundings, perform = carryOut) {
  /** @type {Map<string, Failure>} */
  const failures = new Map();
  /** @type {Map<string, Promise<void>>} */
  const lanes = new Map();
  /** @type {Map<string, Promise<void>>} */
  const running = new Map();
  for (const job of jobs) {
    const before = [lanes.get(job.lane), ...job.needs.map((id) => running.get(id))];
    const work = Promise.all(before).then(() => attempt(job, failures, surroundings, perform));
    running.set(job.id, work);
    lanes.set(job.lane, work);
  }
  await Promise.all(running.values());
  if (jobs.some((job) => job.kind === 'go')) removeBuildFiles(surroundings.machine);
  return failures;
}

/**
 * @param {import('./types.d.ts').Job} job
 * @param {Map<string, Failure>} failures
 * @param {Surroundings} surroundings
 * @param {typeof carryOut} perform
 */
async function attempt(job, failures, surroundings, perform) {
  const { progress, machine } = surroundings;
  const log = path.join(machine.cacheDir, 'logs', `${job.id}.log`);
  const { title, parts, command } = job;
  const lacking = job.needs.find((id) => failures.has(id));
  if (lacking !== undefined) {
    failures.set(job.id, {
      title,
      parts,
      command,
      why: `Why: it needs "${failures.get(lacking)?.title}", which failed.`,
    });
    return;
  }
  progress.begin(job.id, title, job.takes);
  /** @param {string} line */
  const say = (line) => progress.say(job.id, line);
  try {
    await perform(job, { log, say, machine }, surroundings);
    progress.done(job.id, 'done');
  } catch (error) {
    progress.done(job.id, `failed, see ${log}`);
    failures.set(job.id, { title, parts, command, why: reason(error, log) });
  }
}

/**
 * @param {unknown} error
 * @param {string} log
 */
function reason(error, log) {
  if (error instanceof CommandFailed) {
    const tail = error.tail === '' ? '' : `\n${error.tail.replace(/^/gm, '    ')}`;
    return `Why: ${error.message}${tail}\n  Everything it said: ${log}`;
  }
  return `Why: ${error instanceof Error ? error.message : String(error)}`;
}

/**
 * @param {import('./types.d.ts').Job} job
 * @param {import('./install/go.mjs').Effects} effects
 * @param {Surroundings} surroundings
 */
async function carryOut(job, effects, { facilities, machine, root }) {
  if (job.kind === 'npm') return installNodeModules(root, effects);
  let waited = false;
  const lock = path.join(machine.cacheDir, 'locks', `${job.lane === 'apt' ? 'system' : job.id}.lock`);
  /** @param {string} pid */
  const waiting = (pid) => {
    waited = true;
    effects.say(`waiting for the set-up that runs as process ${pid}`);
  };
  await withLock(
    lock,
    async () => {
      if (waited && alreadyThere(job)) return;
      if (job.kind === 'go') {
        const go = facilities.go ?? findGo(machine);
        if (go === null) throw new Error('The Go that was to build it is not there.');
        await installGo(job, go, effects);
      } else if (job.kind === 'python') {
        const now = job.needs.length > 0 ? lookUpFacilities(machine, root) : facilities;
        if (now.python === null) throw new Error('Python 3.10 or later is not there.');
        await installPython(job, { python: now.python, hasPip: now.pythonHasPip }, effects);
      } else if (job.kind === 'debian') await installDebian(job, effects);
      else if (job.kind === 'debian-private') await installDebianPrivately(job, effects);
      else await createAccount(job, effects);
    },
    waiting,
  );
}

/**
 * Another set-up may have made it while this one waited.
 * @param {import('./types.d.ts').Job} job
 */
function alreadyThere(job) {
  const { target } = job;
  if (target === undefined) return false;
  const programs =
    job.parts.length === 0 ? [[GO_TOOLCHAIN.program]] : job.parts.map((name) => PARTS[name]?.programs ?? []);
  return programs.every((names) => names.some((name) => isProgram(path.join(target, 'bin', name))));
}
