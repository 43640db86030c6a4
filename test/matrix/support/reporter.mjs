/** Adds a line to `.muster/matrix.jsonl` for each cell that has been run, with what it measured, and says it at once. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cellOf } from '../../../setup/matrix-cells.mjs';
import { matrixTable } from '../../../setup/matrix-table.mjs';

/** Colours that jest gives its messages. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour begins with
const COLOUR = /\u001b\[\d+m/g;

export default class MatrixReporter {
  #done = 0;
  #asked = process.env.MUSTER_MATRIX_CELLS;

  /** @param {{ path: string }} test @param {import('@jest/test-result').TestResult} result */
  async onTestResult(test, result) {
    const cell = cellOf(test.path);
    if (cell === null) return;
    const { testResults, testExecError, perfStats } = result;
    const wrong = testResults
      .filter(({ status }) => status !== 'passed')
      .map(({ title, status, failureMessages }) => `${title}: ${firstLines(failureMessages[0] ?? status)}`);
    if (testExecError) wrong.push(firstLines(testExecError.message ?? String(testExecError)));
    if (testResults.length === 0 && wrong.length === 0) wrong.push('it has no test');
    const measured = measuredBy(test.path);
    const wholeMs = perfStats.end - perfStats.start;
    const outcome = { cell: cell.name, wrong, wholeMs, ...(measured === undefined ? {} : { measured }) };
    const file = process.env.MUSTER_MATRIX_RESULTS ?? join('.muster', 'matrix.jsonl');
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, `${JSON.stringify(outcome)}\n`);
    this.#done += 1;
    const verdict = wrong.length === 0 ? 'right' : 'WRONG';
    const count = this.#asked === undefined ? '' : `${this.#done} of ${this.#asked}  `;
    process.stderr.write(`${count}${verdict}  ${(wholeMs / 1000).toFixed(0)} s  ${cell.name}\n`);
    if (this.#asked === undefined) {
      process.stderr.write(`\n${matrixTable([outcome], { asked: 1, missing: [], wholeMs })}\n`);
    }
    await leaveOrTakeDown(test.path, wrong.length > 0);
  }
}

/** @param {string} message */
function firstLines(message) {
  const lines = message.replace(COLOUR, '').split('\n');
  const trace = lines.findIndex((line) => /^\s+at /.test(line));
  const said = (trace < 0 ? lines : lines.slice(0, trace)).map((line) => line.trim()).filter(Boolean);
  return said.join(' ').slice(0, 600);
}

/** What the cell has left for its line; see measured.ts. @param {string} testPath */
function measuredBy(testPath) {
  const file = join(process.env.MUSTER_TEST_RUN ?? '', `${cellOf(testPath)?.name}.measured`);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** Labs that the test left because they may be wanted: see test/support/lab.ts. @param {string} testPath @param {boolean} wanted */
async function leaveOrTakeDown(testPath, wanted) {
  const file = join(process.env.MUSTER_TEST_RUN ?? '', 'labs.kept');
  if (!existsSync(file)) return;
  const left = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  for (const { dir } of left.filter((one) => one.testPath === testPath)) {
    if (wanted) {
      process.stderr.write(
        `its lab is left: ${dir} (muster lab down takes it away, with MUSTER_LAB=${dir})\n`,
      );
      continue;
    }
    const { downLab } = await import('../../../dist/lab/down.js');
    await downLab(dir, { log: () => undefined });
  }
}
