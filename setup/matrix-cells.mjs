/** The cells of the test matrix: which disaster is to be recovered from for which system, and which file tests it. */

const ALL = /** @type {const} */ (['payymo', 'moneyflow', 'accubooks', 'spendsync', 'practice-hub']);

/**
 * What must be tested: every disaster, with the systems that can meet it.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const MATRIX = {
  corruption: ALL,
  azLoss: ['payymo', 'spendsync'],
  regionalLoss: ALL,
  breach: ALL,
  infrastructureFailure: ALL,
  objectLoss: ['payymo', 'practice-hub'],
  badDeployment: ['spendsync', 'practice-hub'],
  providerOutage: ['moneyflow', 'practice-hub'],
  backupLoss: ALL,
  failback: ALL,
};

/** What a file is called that recovers several systems at once: `regionalLoss-all.test.ts`. */
const SEVERAL = 'all';

/**
 * @typedef {object} Cell
 * @property {string} scenario
 * @property {string} system
 * @property {string} variant another course of the same disaster, '' for the usual one
 * @property {string} name as `--only` and the table know it
 */

/**
 * @param {string} scenario
 * @param {string} system
 * @param {string} [variant]
 * @returns {Cell}
 */
function cell(scenario, system, variant = '') {
  return { scenario, system, variant, name: [scenario, system, variant].filter(Boolean).join(' ') };
}

/**
 * The cell that a file tests: `<scenario>-<system>.test.ts`, `<scenario>-<system>-<variant>.test.ts`.
 * @param {string} file its name, with or without folders
 * @returns {Cell | null} null: it is named like no cell
 */
export function cellOf(file) {
  const [, scenario = '', rest = ''] = /([^/-]+)-([^/]+)\.test\.ts$/.exec(file) ?? [];
  if (!Object.hasOwn(MATRIX, scenario)) return null;
  const system = [...ALL, SEVERAL].find((known) => rest === known || rest.startsWith(`${known}-`));
  return system === undefined ? null : cell(scenario, system, rest.slice(system.length + 1));
}

/** @returns {readonly Cell[]} every cell that must have a test, in the order of the table */
export function requiredCells() {
  return Object.entries(MATRIX).flatMap(([scenario, systems]) =>
    systems.map((system) => cell(scenario, system)),
  );
}

/**
 * @param {readonly string[]} files of the folder of cells
 * @returns {{ tested: ReadonlyMap<string, string>, missing: readonly string[], misnamed: readonly string[] }}
 *   files by cell in the order of the table, cells without a test, and files that are no cell
 */
export function survey(files) {
  const required = requiredCells().map(({ name }) => name);
  const scenarios = Object.keys(MATRIX);
  const found = files.flatMap((file) => {
    const known = cellOf(file);
    return known === null ? [] : [{ file, ...known }];
  });
  /** @param {Cell} one */
  const place = ({ scenario, system }) => {
    const at = [...ALL, SEVERAL].indexOf(system);
    return scenarios.indexOf(scenario) * 10 + at;
  };
  found.sort((one, other) => place(one) - place(other) || one.variant.localeCompare(other.variant));
  return {
    tested: new Map(found.map(({ name, file }) => [name, file])),
    missing: required.filter((name) => !found.some((one) => one.name === name)),
    misnamed: files.filter((file) => cellOf(file) === null),
  };
}
