/** Enters what people have approved, row by row, and keeps what became of each. */
import { PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { withProgress } from '../progress.js';
import type { SalvageCarried } from './contract.js';
import { enterRow } from './enter.js';
import { nameOf, type Outcome, openOutcomes, readList, requireUnchanged } from './list.js';

const SAMPLES = 10;

/**
 * One after the other, in the order of the list: a payment may need the money of the one before it. A row that the application
 * refuses is told and passed over. Entering a row twice is harmless by what the runbook promises of `enter`.
 *
 * @throws PermanentError `SalvageListChanged`, `SalvageUnanswered`; TransientError `ApplicationUnreachable`
 */
export const carryOver: MusterActivities['carryOver'] = ({ at, found, tables, application }) => {
  requireReal(at, 'enter rows into the live database');
  const total = found.tables.reduce((sum, { sound }) => sum + sound, 0);
  const first = { done: 0, total, unit: 'rows' as const, text: 'entering rows' };
  return withProgress(first, async (update) => {
    await requireUnchanged(found.list.file, found.list.sha256);
    const signal = activitySignal();
    const outcomes = await openOutcomes(at.runId);
    try {
      for await (const line of readList(found.list.file)) {
        if (line.refused !== null || outcomes.all.has(nameOf(line))) continue;
        signal.throwIfAborted();
        const { table, key, row } = line;
        const enter = tables.find((one) => one.table === table)?.enter;
        if (enter === undefined) throw noTable(table);
        const refused = await enterRow(application.url, enter, row, signal);
        await outcomes.add({ table, key, refused });
        update({ ...first, done: outcomes.all.size, text: `entering rows of ${table}` });
      }
      return summarised([...outcomes.all.values()], outcomes.file);
    } finally {
      await outcomes.close();
    }
  });
};

function summarised(outcomes: readonly Outcome[], file: string): SalvageCarried {
  const names = [...new Set(outcomes.map(({ table }) => table))];
  const tables = names.map((table) => {
    const of = outcomes.filter((outcome) => outcome.table === table);
    const refused: Record<string, number> = {};
    for (const outcome of of) {
      if (outcome.refused !== null) refused[outcome.refused] = (refused[outcome.refused] ?? 0) + 1;
    }
    return { table, carried: of.filter((outcome) => outcome.refused === null).length, refused };
  });
  const turnedDown = outcomes.flatMap(({ table, key, refused }) =>
    refused === null ? [] : [`${table} ${key}: ${refused}`],
  );
  const words = tables.map(({ table, carried }) => `${table}: ${formatCount(carried)} carried over`);
  return {
    tables: tables.map((one) => ({ ...one, refused: mostFrequent(one.refused) })),
    samples: turnedDown.slice(0, SAMPLES),
    outcomes: { file, lines: outcomes.length },
    summary: `${words.join('; ') || 'nothing to carry over'}${turnedDown.length === 0 ? '' : `; ${formatCount(turnedDown.length)} refused by the application`}; each in ${file}`,
  };
}

/** Answers may name the row: only so many different ones are told here, all of them are in the file. */
function mostFrequent(refused: Readonly<Record<string, number>>): Record<string, number> {
  const sorted = Object.entries(refused).sort(([, one], [, other]) => other - one);
  const others = sorted.slice(SAMPLES).reduce((sum, [, count]) => sum + count, 0);
  return {
    ...Object.fromEntries(sorted.slice(0, SAMPLES)),
    ...(others === 0 ? {} : { 'other answers': others }),
  };
}

function noTable(table: string): PermanentError {
  return new PermanentError('SalvageListChanged', `The list names ${table}, which the runbook does not.`, {
    next: 'Begin salvage again with the runbook as it is now.',
  });
}
