/** What was written after the point on the replaced primary, judged by the runbook's rule. */
import type pg from 'pg';
import { messageOf, PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import { byDriver, type OfArchive, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { SalvageTable } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, StepRef } from '../contract.js';
import { openPrivateCopy, removePrivateCopy } from '../private/copy.js';
import { withProgress } from '../progress.js';
import { adminOf } from '../service/index.js';
import type { SalvageCount, SalvageFound } from './contract.js';
import { findLeftBehind, nothing } from './left-behind.js';
import { type Line, writeList } from './list.js';
import { type QuarantinedEnd, withQuarantinedCopy } from './quarantined.js';

const BATCH = 500;
const SAMPLES = 10;
/** A transaction that was under way at the point began before it; what the new primary has is left out anyway. */
const MARGIN_MS = 60_000;

type Input = Parameters<MusterActivities['findSalvage']>[0];
type Update = (progress: Progress) => void;

/**
 * Opens the end of the old primary as a private copy, asks it, and compares with the live database by key. The quarantined cluster is
 * not changed.
 *
 * @throws PermanentError `NoPrimary`, `NothingLeftBehind`, `SalvageUnanswered`, and what restoring throws
 */
export const findSalvage: MusterActivities['findSalvage'] = (input) =>
  withProgress({ done: 0, unit: 'rows', text: 'looking what was left behind' }, (update) =>
    find(input, update),
  );

const find = byDriver<Input, [Update], Promise<SalvageFound>>({
  pgbackrest: findInLog,
  archive: findInQuarantine,
});

/** The archive of WAL holds what it had written, as long as it could archive. */
async function findInLog(
  { at, sites, backup, tables }: OfPgbackrest<Input>,
  update: Update,
): Promise<SalvageFound> {
  const { live, systemIdentifier, timeline, first, last, base } = await findLeftBehind(sites, backup);
  const copy = await openPrivateCopy(at, live, backup, 'salvage', base.source.databaseBytes);
  try {
    await copy.restore(base.source, last, update);
    const through = { at: last.at, lsn: last.lsn };
    const end = { live, copy: copy.place, systemIdentifier, timeline, time: first.at, through };
    return await judgeAll(at, end, tables, `up to the commit of ${last.at}, the last that the archive has`);
  } finally {
    await copy.close();
  }
}

/** @throws PermanentError `NothingLeftBehind` */
async function findInQuarantine(
  { at, sites, quarantined, tables }: OfArchive<Input>,
  update: Update,
): Promise<SalvageFound> {
  if (quarantined === null) throw nothing('the runbook names no quarantine (scenarios.salvage.damaged)');
  return withQuarantinedCopy({ at, sites, quarantined }, update, (end) =>
    judgeAll(at, end, tables, `up to ${end.through.at}, when it was set aside`),
  );
}

async function judgeAll(
  at: StepRef,
  { live, copy, systemIdentifier, timeline, time, through }: QuarantinedEnd,
  tables: readonly SalvageTable[],
  until: string,
): Promise<SalvageFound> {
  const counts: SalvageCount[] = [];
  const samples: string[] = [];
  const list = await writeList(at.runId, async (add) => {
    for (const table of tables) {
      const since = new Date(Date.parse(time) - MARGIN_MS).toISOString();
      const count = await judge({ copy, live, table, since }, async (line) => {
        await add(line);
        if (line.refused !== null && samples.length < SAMPLES)
          samples.push(`${line.table} ${line.key}: ${line.refused}`);
      });
      counts.push(count);
    }
  });
  return {
    site: live.site,
    systemIdentifier,
    timeline,
    time,
    through,
    tables: counts,
    samples,
    list,
    summary: `${counts.map(inWords).join('; ')}; ${until}; every row in ${list.file}`,
  };
}

/** Removes the copy wherever it was being made. */
export const endSalvage: MusterActivities['endSalvage'] = async ({ at, sites }) => {
  const removed = await Promise.all(sites.map((site) => removePrivateCopy(at, site, 'salvage')));
  return { summary: removed.includes(true) ? 'the private copy is removed' : 'nothing was left' };
};

async function judge(
  {
    copy,
    live,
    table,
    since,
  }: {
    readonly copy: DatabaseAt;
    readonly live: DatabaseAt;
    readonly table: SalvageTable;
    readonly since: string;
  },
  add: (line: Line) => Promise<void>,
): Promise<SalvageCount> {
  const parameters = [since, ...(await Promise.all(table.parameters.map(resolveSecret)))];
  const refused: Record<string, number> = {};
  const counted = { rows: 0, present: 0, sound: 0 };
  const options = {
    statementTimeoutMs: table.timeout,
    applicationName: 'muster-salvage',
    signal: activitySignal(),
  };
  await withClient(adminOf(live.postgres), options, (there) =>
    withClient(adminOf(copy.postgres), options, async (here) => {
      for await (const lines of linesOf(here, table, parameters)) {
        const present = await presentOf(there, table, lines);
        for (const line of lines) {
          counted.rows += 1;
          if (present.has(line.key)) {
            counted.present += 1;
            continue;
          }
          if (line.refused === null) counted.sound += 1;
          else refused[line.refused] = (refused[line.refused] ?? 0) + 1;
          await add(line);
        }
      }
    }),
  );
  return { table: table.table, ...counted, refused };
}

async function* linesOf(
  client: pg.Client,
  table: SalvageTable,
  parameters: readonly string[],
): AsyncGenerator<readonly Line[]> {
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    await client.query(
      `declare rows no scroll cursor for select row_to_json(found)::text as line from (
${table.sql.trim().replace(/;+$/, '')}
) as found`,
      [...parameters],
    );
    for (;;) {
      const { rows } = await client.query<{ line: string }>(`fetch ${BATCH} from rows`);
      if (rows.length === 0) return;
      yield rows.map(({ line }) => lineOf(table, line));
    }
  } catch (error) {
    activitySignal().throwIfAborted();
    if (error instanceof PermanentError) throw error;
    const said = parameters
      .slice(1)
      .reduce((text, secret) => text.replaceAll(secret, '***'), messageOf(error));
    throw new PermanentError('SalvageUnanswered', `The rows of ${table.table} cannot be judged: ${said}.`, {
      next: 'Correct the query in the runbook (scenarios.salvage.tables), then begin salvage again.',
    });
  }
}

function lineOf({ table }: SalvageTable, text: string): Line {
  const { key, refused, ...row } = JSON.parse(text) as Record<string, unknown>;
  if (typeof key === 'string' && (refused === null || typeof refused === 'string')) {
    return { table, key, refused, row };
  }
  throw new PermanentError(
    'SalvageUnanswered',
    `The query for ${table} gives a row without a key as text, or a "refused" that is no text: ${text.slice(0, 200)}`,
    { next: 'Correct the query in the runbook (scenarios.salvage.tables), then begin salvage again.' },
  );
}

async function presentOf(
  client: pg.Client,
  { table, key }: SalvageTable,
  lines: readonly Line[],
): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ key: string }>(
    `select ${key}::text as key from ${table} where ${key} = any($1)`,
    [lines.map((line) => line.key)],
  );
  return new Set(rows.map((row) => row.key));
}

function inWords({ table, rows, present, sound, refused }: SalvageCount): string {
  const bad = Object.entries(refused).map(([why, count]) => `${formatCount(count)} ${why}`);
  return `${table}: of ${formatCount(rows)} rows written after the point ${formatCount(sound)} are sound${present === 0 ? '' : `, ${formatCount(present)} are there already`}${bad.length === 0 ? '' : `, refused: ${bad.join(', ')}`}`;
}
