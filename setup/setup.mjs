#!/usr/bin/env node
/** `npm run setup`: finds what Muster runs on, installs what is missing and can be installed, and names the rest. */

import process from 'node:process';
import { explain } from './explain.mjs';
import { lookUpFacilities } from './facilities.mjs';
import { runJobs } from './jobs.mjs';
import { describeMachine, hasAccount, isScript, manifestPath, ROOT } from './machine.mjs';
import { readManifest, writeManifest } from './manifest.mjs';
import { nodeModulesCurrent } from './modules.mjs';
import { NODE_ACCEPTS, PARTS, partNames } from './parts.mjs';
import { planSetup } from './plan.mjs';
import { createProgress } from './progress.mjs';
import { lookAround, POSTGRES_ACCOUNT } from './survey.mjs';
import { acceptable } from './versions.mjs';

/** Something is missing; the message says what and how to get it. Exit code 2: nothing of the project has started. */
export class SetupFailed extends Error {
  exitCode = 2;
}

/**
 * @param {{ tests?: boolean, only?: readonly string[] }} [options] `tests`: with the parts that only tests need; `only`: these
 * @returns {Promise<import('./types.d.ts').Manifest>}
 * @throws SetupFailed naming every part that is missing, why, and the command that installs it
 */
export async function setUp({ tests = false, only } = {}) {
  if (!acceptable(process.versions.node, NODE_ACCEPTS)) {
    throw new SetupFailed(
      `Muster needs Node ${NODE_ACCEPTS.from} or later; this is ${process.versions.node} (${process.execPath}).`,
    );
  }
  const machine = describeMachine();
  const file = manifestPath(machine.env, machine.cacheDir);
  const names = only ?? partNames({ tests });
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

/** @param {readonly string[]} args */
async function main(args) {
  const list = args[args.indexOf('--parts') + 1];
  const only = args.includes('--parts') ? (list ?? '').split(',') : undefined;
  const unknown = (only ?? []).filter((name) => !(name in PARTS));
  if (unknown.length > 0) {
    throw new SetupFailed(
      `--parts: there is no part named "${unknown.join('", "')}". Allowed: ${Object.keys(PARTS).join(', ')}.`,
    );
  }
  const { parts } = await setUp({ tests: args.includes('--tests'), ...(only === undefined ? {} : { only }) });
  const width = Math.max(...Object.keys(parts).map((name) => name.length));
  for (const [name, part] of Object.entries(parts)) {
    process.stdout.write(`${name.padEnd(width)}  ${part.version.padEnd(16)}  ${part.path}\n`);
  }
}

if (isScript(import.meta.url)) void runScript(() => main(process.argv.slice(2)));
