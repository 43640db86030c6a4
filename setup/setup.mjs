#!/usr/bin/env node
/** `npm run setup`: finds what Muster runs on, installs what is missing and can be installed, and names the rest. */

import { realpathSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { handCommand } from './advice.mjs';
import { lookUpFacilities } from './facilities.mjs';
import { findPart, OverrideError } from './find.mjs';
import { runJobs } from './jobs.mjs';
import { describeMachine, hasAccount, manifestPath, ROOT } from './machine.mjs';
import { readManifest, rememberingProbe, writeManifest } from './manifest.mjs';
import { nodeModulesCurrent } from './modules.mjs';
import { PARTS, partNames } from './parts.mjs';
import { planSetup } from './plan.mjs';
import { createProgress } from './progress.mjs';

/** PostgreSQL does not run as root; Debian's package makes this account. */
const POSTGRES_ACCOUNT = 'postgres';

/** Something is missing; the message says what and how to get it. Exit code 2: nothing of the project has started. */
export class SetupFailed extends Error {
  exitCode = 2;
}

/**
 * @param {{ tests?: boolean }} [options] `tests`: with the parts that only tests need
 * @returns {Promise<import('./types.d.ts').Manifest>}
 * @throws SetupFailed naming every part that is missing, why, and the command that installs it
 */
export async function setUp({ tests = false } = {}) {
  const machine = describeMachine();
  const file = manifestPath(machine.env, machine.cacheDir);
  const names = partNames({ tests });
  let state = lookAround(names, machine, readManifest(file));
  /** @type {Map<string, import('./jobs.mjs').Failure>} */
  let failures = new Map();
  /** @type {readonly import('./types.d.ts').Impossible[]} */
  let impossible = [];
  const accountMissing = machine.root && !hasAccount(POSTGRES_ACCOUNT);
  if (state.missing.length > 0 || accountMissing || !nodeModulesCurrent(ROOT)) {
    const facilities = lookUpFacilities(machine, ROOT);
    const plan = planSetup(state.missing, facilities, machine);
    impossible = plan.impossible;
    failures = await runJobs(plan.jobs, { machine, facilities, root: ROOT, progress: createProgress() });
    state = lookAround(names, machine, state.manifest);
  }
  writeManifest(file, state.manifest);
  const complaints = [...state.broken, ...explain(state, failures, impossible, machine)];
  if (complaints.length > 0) throw new SetupFailed(complaints.join('\n\n'));
  return state.manifest;
}

/**
 * @typedef {object} State
 * @property {import('./types.d.ts').Manifest} manifest
 * @property {string[]} missing
 * @property {Record<string, readonly string[]>} rejected
 * @property {string[]} broken overrides that cannot be used
 */

/**
 * @param {readonly string[]} names
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').Manifest} before
 * @returns {State}
 */
function lookAround(names, machine, before) {
  const { probe, probes } = rememberingProbe(before.probes);
  /** @type {Record<string, import('./types.d.ts').FoundPart>} */
  const parts = {};
  /** @type {State} */
  const state = { manifest: before, missing: [], rejected: {}, broken: [] };
  for (const [name, spec] of Object.entries(PARTS)) {
    if (!names.includes(name)) {
      // A set-up without the tests' parts must not forget where they are.
      const known = before.parts[name];
      if (known !== undefined) parts[name] = known;
      continue;
    }
    try {
      const { found, rejected } = findPart(name, spec, machine, probe);
      if (found === null) state.missing.push(name);
      else parts[name] = withAccount(name, found, machine);
      state.rejected[name] = rejected;
    } catch (error) {
      if (!(error instanceof OverrideError)) throw error;
      state.broken.push(`${spec.title} (${name}): ${error.message}. Correct or unset ${spec.override}.`);
    }
  }
  state.manifest = { format: 1, parts, probes: { ...keep(before.probes, parts), ...probes } };
  return state;
}

/**
 * Probes of parts that were not looked at this time stay.
 * @param {Readonly<Record<string, import('./types.d.ts').Probe>>} probes
 * @param {Readonly<Record<string, import('./types.d.ts').FoundPart>>} parts
 */
function keep(probes, parts) {
  const paths = new Set(Object.values(parts).map((part) => part.path));
  return Object.fromEntries(Object.entries(probes).filter(([file]) => paths.has(file)));
}

/**
 * @param {string} name
 * @param {import('./types.d.ts').FoundPart} found
 * @param {import('./types.d.ts').Machine} machine
 * @returns {import('./types.d.ts').FoundPart}
 */
function withAccount(name, found, machine) {
  if (name !== 'postgresql' || !machine.root) return found;
  return { ...found, extra: { ...found.extra, account: POSTGRES_ACCOUNT } };
}

/**
 * @param {State} state
 * @param {ReadonlyMap<string, import('./jobs.mjs').Failure>} failures
 * @param {readonly import('./types.d.ts').Impossible[]} impossible
 * @param {import('./types.d.ts').Machine} machine
 * @returns {string[]}
 */
function explain(state, failures, impossible, machine) {
  /** @type {string[]} */
  const complaints = [];
  for (const job of new Set(failures.values())) {
    const parts = job.parts.filter((name) => state.missing.includes(name));
    if (job.parts.length > 0 && parts.length === 0) continue;
    const what = parts.length > 0 ? `Missing: ${parts.map(titled).join(', ')}.` : `Not done: ${job.title}.`;
    complaints.push(`${what}\n  ${job.why}\n  By hand: ${job.command}`);
  }
  for (const name of state.missing) {
    if ([...failures.values()].some((job) => job.parts.includes(name))) continue;
    const known = impossible.find(({ part }) => part === name);
    const seen = state.rejected[name] ?? [];
    const why = known?.why ?? 'it was installed but cannot be used';
    const passedOver = seen.length > 0 ? `\n  Passed over: ${seen.join('; ')}.` : '';
    const command = known?.command ?? handCommand(name, machine);
    complaints.push(`Missing: ${titled(name)}.\n  Why: ${why}.${passedOver}\n  By hand: ${command}`);
  }
  return complaints;
}

/** @param {string} name */
function titled(name) {
  return `${PARTS[name]?.title} (${name})`;
}

/**
 * Runs a script's main function; a set-up that failed is a message, not a stack.
 * @param {() => Promise<void>} main
 */
export async function runScript(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Error) || !('exitCode' in error)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = Number(error.exitCode);
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runScript(async () => {
    const { parts } = await setUp({ tests: process.argv.includes('--tests') });
    const width = Math.max(...Object.keys(parts).map((name) => name.length));
    for (const [name, part] of Object.entries(parts)) {
      process.stdout.write(`${name.padEnd(width)}  ${part.version.padEnd(16)}  ${part.path}\n`);
    }
  });
}
