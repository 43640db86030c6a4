#!/usr/bin/env node
/** `npm run test:fuzz`: set-up, build, then as many generated decisions, proofs, runbooks and damages as asked for, with their number at the end. */

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { parsed, runJest } from './long-tests.mjs';
import { isScript, ROOT } from './machine.mjs';
import { runScript, SetupFailed, setUp } from './setup.mjs';

const AREAS = ['decisions', 'proofs', 'runbooks', 'damage'];
const CONFIG = path.join(ROOT, 'test', 'fuzz', 'jest.config.mjs');
const HELP = `npm run test:fuzz -- [options]

  --cases <n>     of decisions, of proofs and of runbooks, at least (default 10000); of damage to each format a fiftieth
  --only <area>   ${AREAS.join(', ')}
  --seed <n>      the cases of another run: a property that fails names its seed (--seed=-5 for one below 0)
`;

/**
 * @param {readonly string[]} args
 * @returns {{ only: string, env: Record<string, string> } | 'help'}
 * @throws SetupFailed saying which option cannot be taken, and what it may be
 */
export function readFuzzOptions(args) {
  const options = /** @type {const} */ ({
    cases: { type: 'string', default: '10000' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  });
  const values = parsed(() => parseArgs({ args: [...args], options }).values, HELP);
  if (values.help) return 'help';
  const { cases = '', only = '', seed = '' } = values;
  if (!/^[1-9]\d{0,6}$/.test(cases))
    throw new SetupFailed(`--cases: given "${cases}", allowed 1 to 9999999.`);
  if (only !== '' && !AREAS.includes(only))
    throw new SetupFailed(`--only: given "${only}", allowed ${AREAS.join(', ')}.`);
  if (!/^(-?\d{1,10})?$/.test(seed))
    throw new SetupFailed(`--seed: given "${seed}", allowed a whole number.`);
  return { only, env: { MUSTER_FUZZ_CASES: cases, ...(seed === '' ? {} : { MUSTER_FUZZ_SEED: seed }) } };
}

/** @param {readonly string[]} args */
async function main(args) {
  const asked = readFuzzOptions(args);
  if (asked === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const { parts } = await setUp();
  await build();
  const tally = path.join(ROOT, '.muster', `fuzz-${process.pid}.jsonl`);
  mkdirSync(path.dirname(tally), { recursive: true });
  const began = Date.now();
  process.exitCode = runJest(['--config', CONFIG, '--maxWorkers=2', `test/fuzz/${asked.only}`], parts, {
    ...asked.env,
    MUSTER_FUZZ_TALLY: tally,
  });
  process.stdout.write(`\n${table(tally)}\nin ${Math.round((Date.now() - began) / 1000)} s\n`);
  rmSync(tally, { force: true });
}

/** @param {string} file */
function table(file) {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return lines
    .map((line) => JSON.parse(line))
    .map(({ what, count }) => `${String(count).padStart(8)}  ${what}`)
    .join('\n');
}

if (isScript(import.meta.url)) void runScript(() => main(process.argv.slice(2)));
