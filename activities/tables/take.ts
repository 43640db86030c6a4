/** The rows of chosen tables as they were at the point, from a private copy in which every rule holds. */
import { PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import { byDriver, type OfArchive, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { ChosenTable } from '../../src/runbook/schema.js';
import { requireAsDumped } from '../archive/trial.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities } from '../contract.js';
import { askAll } from '../point/probe.js';
import { openPrivateArchiveCopy } from '../private/archive-copy.js';
import { openPrivateCopy, removePrivateCopy } from '../private/copy.js';
import { withProgress } from '../progress.js';
import { inTurn } from '../restore/archive.js';
import { adminOf } from '../service/index.js';
import { checkForeignKeys } from '../verify/generic.js';
import { compareTable } from './compare.js';
import type { TableDifference, TablesTaken } from './contract.js';
import { shapeOf } from './shape.js';

const READ_MS = 4 * 3_600_000;

type Input = Parameters<MusterActivities['takeTables']>[0];
type Update = (progress: Progress) => void;
type Work = (copy: DatabaseAt) => Promise<TablesTaken>;

/**
 * @throws PermanentError `TableNotAllowed`, `TableUnfit`, `PointDamaged` where a rule is broken at the point already, `NoRoom`, and
 *   what restoring throws
 */
export const takeTables: MusterActivities['takeTables'] = (input) =>
  withProgress({ done: 0, unit: 'rows', text: 'making room for a private copy' }, async (update) => {
    const wanted = chosenOf(input.chosen, input.tables);
    return inCopy(input, update, (copy) => compareAll(input, wanted, copy, update));
  });

/** Does the work on a private copy of the whole database at the point: a rule may need any of its tables. */
const inCopy = byDriver<Input, [Update, Work], Promise<TablesTaken>>({
  pgbackrest: inReplayedCopy,
  archive: inLoadedCopy,
});

async function inReplayedCopy(
  { at, target, backup, point }: OfPgbackrest<Input>,
  update: Update,
  work: Work,
): Promise<TablesTaken> {
  const { label, repository, type, databaseBytes, walStart } = point.backup;
  const { systemIdentifier, timeline, time, through } = point;
  const source = { repository, label, type, databaseBytes, walStart, systemIdentifier, timeline };
  const copy = await openPrivateCopy(at, target, backup, 'tables', databaseBytes);
  try {
    await copy.restore(source, through ?? { before: time }, update);
    return await work(copy.place);
  } finally {
    await copy.close();
  }
}

async function inLoadedCopy(
  { at, target, backup, point }: OfArchive<Input>,
  update: Update,
  work: Work,
): Promise<TablesTaken> {
  const label = point.archive?.label ?? point.backup.label;
  const copy = await openPrivateArchiveCopy(at, target, backup.jobs, 'tables');
  try {
    const loaded = await inTurn({ at, backup, label }, point.usableRepositories, async (archive) => {
      const place = await copy.load(archive, update);
      await requireAsDumped(place, archive, backup);
      return place;
    });
    const taken = await work(loaded);
    return { ...taken, summary: `from archive ${label}, as of ${point.time}: ${taken.summary}` };
  } finally {
    await copy.close();
  }
}

async function compareAll(
  { at, live, point: { time }, invariants }: Input,
  wanted: readonly ChosenTable[],
  copy: DatabaseAt,
  update: Update,
): Promise<TablesTaken> {
  const broken = await askAll(copy, invariants);
  if (broken.length > 0) throw pointDamaged(time, broken.map(({ title }) => title).join('; '));
  const options = {
    statementTimeoutMs: READ_MS,
    applicationName: 'muster-tables',
    signal: activitySignal(),
  };
  const tables: TableDifference[] = [];
  await withClient(adminOf(copy.postgres), options, (then) =>
    withClient(adminOf(live.postgres), options, async (now) => {
      const references = await checkForeignKeys(then);
      if (references.broken !== undefined) throw pointDamaged(time, references.broken);
      for (const table of wanted) {
        const shape = await shapeOf(now, table);
        const difference = await compareTable({ then, now }, shape, at.runId, (rows) =>
          update({ done: rows, unit: 'rows', text: `comparing ${table.table}` }),
        );
        tables.push(difference);
      }
    }),
  );
  return { time, tables, summary: tables.map(inWords).join('; ') };
}

export const endTables: MusterActivities['endTables'] = async ({ at, target }) => {
  const removed = await removePrivateCopy(at, target, 'tables');
  return { summary: removed ? 'the private copy is removed' : 'nothing was left' };
};

function chosenOf(chosen: readonly string[], tables: readonly ChosenTable[]): readonly ChosenTable[] {
  const known = tables.filter(({ table }) => chosen.includes(table));
  const unknown = chosen.filter((name) => !tables.some(({ table }) => table === name));
  if (unknown.length === 0 && known.length > 0) return known;
  throw new PermanentError(
    'TableNotAllowed',
    `The runbook does not allow ${unknown.join(', ') || 'no table'} to be brought back by itself.`,
    {
      next: `Begin again with --tables and some of ${tables.map(({ table }) => table).join(', ')}, or recover the whole database with corruption.`,
    },
  );
}

function pointDamaged(time: string, what: string): PermanentError {
  return new PermanentError('PointDamaged', `At ${time} the database is damaged already: broken is ${what}`, {
    next: 'Choose an earlier point (muster retry ... --point), or correct the rule in the runbook if it is wrong.',
  });
}

function inWords({ table, changed, missing, added, same }: TableDifference): string {
  return `${table}: ${formatCount(changed)} rows changed since, ${formatCount(missing)} missing, ${formatCount(added)} added, ${formatCount(same)} the same`;
}
