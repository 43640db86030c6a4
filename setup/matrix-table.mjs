/** What came out of the cells of the test matrix, as people read it. */

/**
 * @typedef {object} ClassMeasured
 * @property {string} name of the data class
 * @property {number} targetMs
 * @property {number | null} actualMs null: nobody could measure it
 * @property {number | null} lostRecords null: nobody could measure it
 */

/**
 * @typedef {object} Measured
 * @property {readonly { system: string, component: string, targetMs: number, actualMs: number | null }[]} rto
 * @property {readonly ClassMeasured[]} rpo
 */

/**
 * @typedef {object} Result one line of `.muster/matrix.jsonl`
 * @property {string} cell
 * @property {readonly string[]} wrong what was not as it must be; empty: right
 * @property {number} wholeMs the cell with its lab
 * @property {Measured} [measured] absent where the recovery did not get that far
 */

const COLUMNS = ['cell', 'verdict', 'RTO measured / target', 'RPO measured / target', 'lost'];

/**
 * @param {readonly Result[]} results in the order of the table
 * @param {{ asked: number, missing: readonly string[], wholeMs: number }} run
 * @returns {string} a line a component and data class, the cells that have no test, and the count
 */
export function matrixTable(results, { asked, missing, wholeMs }) {
  const rows = results.flatMap(rowsOf);
  const widths = COLUMNS.map((head, at) =>
    Math.max(head.length, ...rows.map(({ cells }) => cells[at]?.length ?? 0)),
  );
  /** @param {readonly string[]} cells */
  const line = (cells) =>
    cells
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd();
  const lines = rows.flatMap(({ cells, wrong }) => [line(cells), ...wrong.map((text) => `    ${text}`)]);
  const wrong = results.filter((result) => result.wrong.length > 0).length;
  const untested = missing.map((name) => `${name}  has no test`);
  const count = [
    `${results.length} of ${asked} cells: ${results.length - wrong} right, ${wrong} wrong`,
    ...(missing.length > 0 ? [`${missing.length} without a test`] : []),
    `in ${(wholeMs / 60_000).toFixed(1)} min`,
  ];
  return [line(COLUMNS), ...lines, ...untested, '', count.join(', ')].join('\n');
}

/**
 * @param {Result} result
 * @returns {readonly { cells: readonly string[], wrong: readonly string[] }[]}
 */
function rowsOf({ cell, wrong, measured }) {
  const rto = (measured?.rto ?? []).map(
    ({ system, component, actualMs, targetMs }) =>
      `${cell.split(' ')[1] === system ? '' : `${system} `}${component} ${duration(actualMs)} / ${duration(targetMs)}`,
  );
  const rpo = measured?.rpo ?? [];
  const height = Math.max(1, rto.length, rpo.length);
  return Array.from({ length: height }, (_, at) => {
    const first = at === 0;
    const one = rpo[at];
    return {
      cells: [
        first ? cell : '',
        first ? (wrong.length === 0 ? 'right' : 'WRONG') : '',
        rto[at] ?? '',
        one === undefined ? '' : `${one.name} ${duration(one.actualMs)} / ${duration(one.targetMs)}`,
        one === undefined ? '' : one.lostRecords === null ? 'unknown' : String(one.lostRecords),
      ],
      wrong: at === height - 1 ? wrong : [],
    };
  });
}

/** @param {number | null} ms */
function duration(ms) {
  if (ms === null) return 'unknown';
  if (ms < 120_000) return `${Number((ms / 1000).toFixed(1))} s`;
  if (ms < 3_600_000) return `${Number((ms / 60_000).toFixed(1))} min`;
  return `${Number((ms / 3_600_000).toFixed(1))} h`;
}

/**
 * The last result of each cell; a line that was cut short is left out.
 * @param {string} text of `.muster/matrix.jsonl`
 * @returns {ReadonlyMap<string, Result>}
 */
export function lastResults(text) {
  /** @type {Map<string, Result>} */
  const found = new Map();
  for (const line of text.split('\n').filter(Boolean)) {
    try {
      const result = JSON.parse(line);
      found.set(result.cell, result);
    } catch {
      // What was written when the run was ended.
    }
  }
  return found;
}
