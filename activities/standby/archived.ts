/** How far the archive goes, which may be further than what a standby has received. */
import { type MusterError, PermanentError, TransientError } from '../../src/errors.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt, ReplacedPrimary } from '../contract.js';
import { archiveIdOf } from '../pgbackrest/archive.js';
import { repositoryName, scopeOf } from '../pgbackrest/command.js';
import { readInfo } from '../pgbackrest/info.js';
import { askRepositories } from '../pgbackrest/reach.js';
import { parseSegment } from '../pgbackrest/wal.js';

export interface ArchiveEnd {
  /** Newest segment of all repositories; null: none of this cluster. */
  readonly newest: string | null;
  /** Repositories that answer. */
  readonly answering: readonly number[];
  readonly silent: readonly MusterError[];
}

/** Asks every repository that answers. */
export async function archiveEnd(
  standby: DatabaseAt,
  backup: PgbackrestBackup,
  systemIdentifier: string,
): Promise<ArchiveEnd> {
  const scope = scopeOf(standby.postgres, backup);
  const answers = await askRepositories(
    scope,
    backup.repositories.map(({ number }) => number),
  );
  const answering = [...answers].flatMap(([number, error]) => (error === undefined ? [number] : []));
  const ends = await Promise.all(
    answering.map(async (number) => {
      const info = await readInfo(scope, number);
      const id = archiveIdOf(info, number, systemIdentifier);
      return info.archive.find((one) => one.id === id && one.database['repo-key'] === number)?.max ?? null;
    }),
  );
  const newest =
    ends
      .filter((end) => end !== null)
      .sort()
      .at(-1) ?? null;
  return { newest, answering, silent: [...answers.values()].filter((error) => error !== undefined) };
}

/**
 * Without the archive nobody knows what was archived and not received: that may be lost by going on.
 * @throws TransientError `ArchiveUnreachable`
 */
export function requireAnswer({ answering, silent }: ArchiveEnd, backup: PgbackrestBackup): void {
  if (answering.length > 0) return;
  const names = backup.repositories.map(({ number }) => repositoryName(backup, number)).join(', ');
  throw new TransientError('ArchiveUnreachable', `No repository answers: ${names}.`, {
    why: 'What was archived and has not reached the standby would be lost by promoting it as it is.',
    next: 'Bring the way to one of them back, then retry the step; it tries again by itself for a while.',
    cause: silent[0],
  });
}

/**
 * The archive goes on with a later timeline: something was promoted that this standby does not follow.
 * @throws PermanentError `StandbyLeftBehind`
 */
export function requireSameHistory(
  newest: string | null,
  { site }: DatabaseAt,
  { timeline }: Pick<ReplacedPrimary, 'timeline'>,
  segmentBytes: number,
): void {
  const archived = newest === null ? timeline : parseSegment(newest, segmentBytes).timeline;
  if (archived <= timeline) return;
  throw new PermanentError(
    'StandbyLeftBehind',
    `The standby at ${site} is on timeline ${timeline}, the archive goes on with timeline ${archived}.`,
    {
      why: 'Another copy was promoted since: this one lacks all that was written there.',
      next: 'Find out what was promoted (muster history) and recover from that; do not promote this standby.',
    },
  );
}
