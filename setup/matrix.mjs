#!/usr/bin/env node
/** `npm run test:matrix`: set-up, build, then every cell of the matrix, or those asked for, with a table at the end. */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { build } from './build.mjs';
import { parsed, runJest } from './long-tests.mjs';
import { isScript, ROOT } from './machine.mjs';
import { survey } from './matrix-cells.mjs';
import { lastResults, matrixTable } from './matrix-table.mjs';
import { runScript, SetupFailed, setUp } from './setup.mjs';

const CELLS = path.join('test', 'matrix');
const HELP = `npm run test:matrix -- [options]

  --only <words>   only cells whose names contain all of these words, for instance "azLoss payymo"
  --list           name the cells and their tests, and run nothing
  --lanes <n>      recoveries at once (default 3: most of one is waiting)
  --resume         go on where the last one was ended; what was right is not run again
  --keep           leave the lab of a cell that went wrong, and name its folder
`;

/**
 * @typedef {object} Asked
 * @property {readonly string[]} words that the names of the cells must all contain; none: the whole matrix
 * @property {boolean} list
 * @property {string} lanes
 * @property {boolean} resume
 * @property {boolean} keep
 */

/**
 * @param {readonly string[]} args
 * @returns {Asked | 'help'}
 * @throws SetupFailed saying which option cannot be taken, and what it may be
 */
export function readMatrixOptions(args) {
  const options = /** @type {const} */ ({
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    lanes: { type: 'string', default: '3' },
    resume: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  const values = parsed(() => parseArgs({ args: [...args], options }).values, HELP);
  if (values.help) return 'help';
  const { only = '', lanes = '', list = false, resume = false, keep = false } = values;
  if (!/^[1-9]\d?$/.test(lanes)) throw new SetupFailed(`--lanes: given "${lanes}", allowed 1 to 99.`);
  return { words: only.split(/\s+/).filter(Boolean), list, lanes, resume, keep };
}

/**
 * @param {readonly string[]} files of the folder of cells
 * @param {readonly string[]} words
 * @returns {{ cells: ReadonlyMap<string, string>, missing: readonly string[] }} files by cell, and cells without a test:
 *   of the whole matrix, or of what was asked for
 * @throws SetupFailed when a file is no cell, or nothing is called like that
 */
export function choose(files, words) {
  const { tested, missing, misnamed } = survey(files);
  if (misnamed.length > 0) {
    throw new SetupFailed(
      `${CELLS}: ${misnamed.join(', ')} is named like no cell. Allowed: <scenario>-<system>.test.ts, with a variant behind it.`,
    );
  }
  /** @param {string} name */
  const asked = (name) => words.every((word) => name.includes(word));
  const cells = new Map([...tested].filter(([name]) => asked(name)));
  const lacking = missing.filter(asked);
  if (cells.size + lacking.length === 0) {
    throw new SetupFailed(
      `--only: no cell is called "${words.join(' ')}". See npm run test:matrix -- --list.`,
    );
  }
  return { cells, missing: lacking };
}

/** @param {readonly string[]} args */
async function main(args) {
  const asked = readMatrixOptions(args);
  if (asked === 'help') {
    process.stdout.write(HELP);
    return;
  }
  const files = readdirSync(path.join(ROOT, CELLS)).filter((name) => name.endsWith('.test.ts'));
  const { cells, missing } = choose(files, asked.words);
  if (asked.list) {
    const tested = [...cells].map(([name, file]) => `${name}  ${path.join(CELLS, file)}`);
    process.stdout.write(`${[...tested, ...missing.map((name) => `${name}  has no test`)].join('\n')}\n`);
    return;
  }
  const { parts } = await setUp({ tests: true });
  await build();
  const begun = Date.now();
  const results = path.join(ROOT, '.muster', 'matrix.jsonl');
  mkdirSync(path.dirname(results), { recursive: true });
  if (!asked.resume) rmSync(results, { force: true });
  const known = readResults(results);
  const due = [...cells].filter(([name]) => known.get(name)?.wrong.length !== 0);
  let code = 0;
  if (due.length > 0) {
    const tests = due.map(([, file]) => path.join(CELLS, file));
    const lanes = [`--maxWorkers=${asked.lanes}`, '--runTestsByPath', ...tests];
    code = runJest(['--config', path.join(CELLS, 'jest.config.mjs'), ...lanes], parts, {
      MUSTER_MATRIX_RESULTS: results,
      MUSTER_MATRIX_CELLS: String(due.length),
      ...(asked.keep ? { MUSTER_MATRIX_KEEP: '1' } : {}),
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    });
  }
  const now = readResults(results);
  const outcomes = [...cells.keys()].flatMap((name) => now.get(name) ?? []);
  const run = { asked: cells.size, missing, wholeMs: Date.now() - begun };
  process.stdout.write(`\n${matrixTable(outcomes, run)}\n`);
  const complete = outcomes.length === cells.size && outcomes.every(({ wrong }) => wrong.length === 0);
  // Who asks for some cells knows what is not built yet; the whole matrix is whole or it fails.
  const lacking = missing.length > 0 && (asked.words.length === 0 || cells.size === 0);
  process.exitCode = code !== 0 || !complete || lacking ? 1 : 0;
}

/** @param {string} file */
function readResults(file) {
  return lastResults(existsSync(file) ? readFileSync(file, 'utf8') : '');
}

if (isScript(import.meta.url)) void runScript(() => main(process.argv.slice(2)));
