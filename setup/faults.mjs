#!/usr/bin/env node
/** `npm run test:faults`: set-up, build, then every case of the harness, or those asked for, with a table at the end. */

import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { parsed, runJest } from './long-tests.mjs';
import { isScript, ROOT } from './machine.mjs';
import { partNames } from './parts.mjs';
import { runScript, SetupFailed, setUp } from './setup.mjs';

const HELP = `npm run test:faults -- [options]

  --only <words>   only cases whose names contain all of these words, for instance "kill promote"
  --part <i/n>     one of n parts of them, for instance 1/2 here and 2/2 on another machine
  --lanes <n>      recoveries at once (default 3: most of one is waiting)
  --minutes <n>    begin no other recovery after this many minutes; the rest follows with --resume
  --resume         go on where the last one was ended; what was right is not run again
  --keep           leave the lab of a case that went wrong, and name its logs
`;

/**
 * @param {readonly string[]} args
 * @returns {{ env: Record<string, string>, resume: boolean } | 'help'}
 * @throws SetupFailed saying which option cannot be taken, and what it may be
 */
export function readFaultOptions(args) {
  const options = /** @type {const} */ ({
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    lanes: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '' },
    resume: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const values = parsed(() => parseArgs({ args: [...args], options }).values, HELP);
  if (values.help) return 'help';
  const { only = '', part = '', lanes = '', minutes = '' } = values;
  const [which = 0, of = 0] = /^\d+\/\d+$/.test(part) ? part.split('/').map(Number) : [];
  if (which < 1 || which > of)
    throw new SetupFailed(`--part: given "${part}", allowed 1/1, 1/2, 2/2, 1/3 and so on.`);
  if (!/^[1-9]\d?$/.test(lanes)) throw new SetupFailed(`--lanes: given "${lanes}", allowed 1 to 99.`);
  if (!/^([1-9]\d*)?$/.test(minutes)) {
    throw new SetupFailed(`--minutes: given "${minutes}", allowed 1 or more.`);
  }
  return {
    resume: values.resume === true,
    env: {
      MUSTER_FAULTS_ONLY: only,
      MUSTER_FAULTS_PART: part,
      MUSTER_FAULTS_LANES: lanes,
      ...(minutes === '' ? {} : { MUSTER_FAULTS_MINUTES: minutes }),
      ...(values.keep === true ? { MUSTER_FAULTS_KEEP: '1' } : {}),
    },
  };
}

/** @param {readonly string[]} args */
async function main(args) {
  const asked = readFaultOptions(args);
  if (asked === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const { parts } = await setUp({ only: [...partNames({ tests: false }), 'temporal-server'] });
  await build();
  const results = path.join(ROOT, '.muster', 'faults.jsonl');
  mkdirSync(path.dirname(results), { recursive: true });
  if (!asked.resume) rmSync(results, { force: true });
  process.exitCode = runJest(['--config', 'test/faults/jest.config.mjs'], parts, {
    ...asked.env,
    MUSTER_FAULTS_RESULTS: results,
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  });
}

if (isScript(import.meta.url)) void runScript(() => main(process.argv.slice(2)));
