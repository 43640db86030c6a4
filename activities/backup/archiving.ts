import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { PermanentError, TransientError } from '../../src/errors.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt } from '../contract.js';

const ARCHIVED_MS = 5 * 60_000;
/** When the server itself says that archiving fails, waiting longer is left to the next attempt. */
const FAILING_MS = 30_000;
const POLL_MS = 100;

interface Archiver {
  readonly last_archived_wal: string | null;
  readonly last_failed_wal: string | null;
  readonly failing: boolean;
}

/**
 * Waits until a segment of the new timeline has reached the archive: until then a crash of the new primary would lose what
 * it took. With several repositories one that fails keeps a segment from counting as archived, although the others have it.
 *
 * @param client on the promoted server
 * @returns the timeline, and what is wrong with archiving it
 * @throws PermanentError `NotPromoted`, `ArchivingOff`
 */
export async function waitForArchiving(
  target: DatabaseAt,
  client: pg.Client,
): Promise<{ readonly timeline: number; readonly trouble: TransientError | undefined }> {
  const signal = activitySignal();
  const { rows: modes } = await client.query<{ in_recovery: boolean; archive_mode: string }>(
    "select pg_is_in_recovery() as in_recovery, current_setting('archive_mode') as archive_mode",
  );
  if (modes[0]?.in_recovery !== false) {
    throw new PermanentError('NotPromoted', `The server at ${target.site} is still in recovery.`, {
      next: 'Promote it first; a copy that is not the primary is not backed up.',
    });
  }
  if (modes[0].archive_mode === 'off') {
    throw new PermanentError(
      'ArchivingOff',
      `The server at ${target.site} does not archive its WAL (archive_mode is off).`,
      {
        next: 'Set archive_mode = on, restart the server and retry the step. A drill is not backed up.',
      },
    );
  }
  // The timeline enters pg_control with the first checkpoint after a promotion; pgBackRest compares the two (its error 58).
  await client.query('checkpoint');
  // A switch writes nothing when nothing happened since the last one: a restore point makes something happen.
  const { rows: switched } = await client.query<{ segment: string }>(
    "select pg_walfile_name(pg_create_restore_point('muster-protect-again')) as segment, pg_switch_wal()",
  );
  const segment = switched[0]?.segment ?? '';
  const timeline = Number.parseInt(segment.slice(0, 8), 16);
  const begun = performance.now();
  for (;;) {
    const { rows } = await client.query<Archiver>(
      `select last_archived_wal, last_failed_wal,
         coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false) as failing
       from pg_stat_archiver`,
    );
    const [archiver] = rows;
    const last = archiver?.last_archived_wal ?? '';
    if (/^[0-9A-F]{24}/.test(last) && last.slice(0, 24) >= segment) {
      return { timeline, trouble: undefined };
    }
    const patience = archiver?.failing === true ? FAILING_MS : ARCHIVED_MS;
    if (performance.now() - begun > patience) {
      return { timeline, trouble: fails(target, segment, archiver) };
    }
    await wait(POLL_MS, undefined, { signal });
  }
}

function fails(target: DatabaseAt, segment: string, archiver: Archiver | undefined): TransientError {
  const failed = archiver?.failing === true ? `; archiving ${archiver.last_failed_wal} failed` : '';
  return new TransientError(
    'ArchivingFails',
    `WAL segment ${segment} of ${target.site} has not reached the archive${failed}.`,
    {
      next: `See why in ${target.postgres.service.logFile} (archive_command); the step tries again by itself for a while.`,
      details: { segment },
    },
  );
}
