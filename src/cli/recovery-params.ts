/** What people say when they begin a recovery, read and refused where the scenario has no use for it. */
import { InputError } from '../errors.js';
import type { ScenarioParams } from '../model/run.js';
import type { Runbook } from '../runbook/schema.js';
import { type FilesOptions, filesParams, refuseFilesOptions } from './files-params.js';
import { parseMoment } from './moment.js';

export interface GivenParams extends FilesOptions {
  readonly tables?: string;
}

/** Scenarios that go back to a moment. */
const BACK = new Set(['corruption', 'corruptedTables', 'breach']);

/**
 * Only where the data is bad is there a moment to go back to; a standby that takes over knows by itself how far it is.
 *
 * @param detectedAt ISO 8601
 * @param now milliseconds since 1970
 * @throws InputError
 */
export function paramsOf(
  { scenarios }: Pick<Runbook, 'scenarios'>,
  scenario: string,
  given: GivenParams,
  detectedAt: string,
  now: number,
): ScenarioParams {
  if (scenario === 'objectLoss') return filesParams(given, detectedAt, now);
  refuseFilesOptions(scenario, given);
  const before = beforeOf(scenario, given.before, detectedAt, now);
  if (scenario === 'corruptedTables') {
    const allowed = scenarios.corruptedTables?.tables.map(({ table }) => table) ?? [];
    return { ...before, tables: tablesOf(given.tables, allowed) };
  }
  if (given.tables === undefined) return before;
  throw new InputError(`The scenario ${scenario} brings back no single tables.`, [
    { field: '--tables', given: given.tables, allowed: 'left out; or the scenario corruptedTables' },
  ]);
}

function beforeOf(
  scenario: string,
  given: string | undefined,
  detectedAt: string,
  now: number,
): { readonly before?: string } {
  // Where the data is bad and nobody can say since when, the run searches for it.
  if (given === undefined) return {};
  if (!BACK.has(scenario)) {
    throw new InputError(`The scenario ${scenario} goes back to no moment.`, [
      { field: '--before', given, allowed: 'left out' },
    ]);
  }
  const before = parseMoment(given, '--before', now);
  if (Date.parse(before) <= Date.parse(detectedAt)) return { before };
  throw new InputError('The data cannot be known to be good after the disaster was noticed.', [
    { field: '--before', given: before, allowed: `a moment not after --detected-at, ${detectedAt}` },
  ]);
}

function tablesOf(given: string | undefined, allowed: readonly string[]): readonly string[] {
  const tables = [...new Set((given ?? '').split(',').map((table) => table.trim()))].filter(Boolean);
  const unknown = tables.filter((table) => !allowed.includes(table));
  if (tables.length > 0 && unknown.length === 0) return tables;
  throw new InputError(
    tables.length === 0
      ? 'It is not said which tables are to be brought back.'
      : 'These tables cannot be brought back by themselves.',
    [
      {
        field: '--tables',
        given: unknown.join(', ') || given || 'nothing',
        allowed: `some of ${allowed.join(', ')} (scenarios.corruptedTables.tables)`,
      },
    ],
  );
}
