/** From when to when a database can be brought back: asked before anything is started. */
import { MusterError, PermanentError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import { scopeOf } from '../pgbackrest/command.js';
import { backupsIn, readInfo } from '../pgbackrest/info.js';
import { commitReader, newestCommit } from './commits.js';
import { currentMoment, momentOf } from './moment.js';

export interface Coverage {
  /** First moment that the oldest backup leads to, ISO 8601 UTC. */
  readonly oldest: string;
  /** Last moment that can be reached; now, where the primary lives and can still hand over what it writes. */
  readonly newest: string;
  readonly live: boolean;
}

/**
 * What the backups of a system cover, over all repositories that can be read. Changes nothing anywhere.
 *
 * @throws what the first repository says when none can be read or none holds a backup
 */
export async function coverage(damaged: DatabaseAt, backup: PgbackrestBackup): Promise<Coverage> {
  const live = await isLive(damaged);
  const { found, errors } = await lookInto(backup, (number) => rangeOf(damaged, backup, number, live));
  const ranges = found.filter((range) => range !== undefined);
  const oldest = ranges.map((range) => range.oldest).sort()[0];
  const newest = ranges
    .map((range) => range.newest)
    .sort()
    .at(-1);
  if (oldest !== undefined && newest !== undefined) return { oldest, newest, live };
  throw errors[0] ?? noBackup(backup);
}

/**
 * Whether the backups can be read from where the copy is to be made: that site has keys and a configuration of its own.
 *
 * @returns what the repositories that cannot be read say, where another one can
 * @throws what the first repository says when none can be read
 */
export async function unreadableFrom(
  target: DatabaseAt,
  backup: PgbackrestBackup,
): Promise<readonly MusterError[]> {
  const scope = scopeOf(target.postgres, backup);
  const { found, errors } = await lookInto(backup, (number) => readInfo(scope, number));
  if (found.length === 0) throw errors[0] ?? noBackup(backup);
  return errors;
}

/** Looks into all repositories at once: one that does not answer must not hold up the others. */
async function lookInto<T>(
  backup: PgbackrestBackup,
  look: (repository: number) => Promise<T>,
): Promise<{ readonly found: readonly T[]; readonly errors: readonly MusterError[] }> {
  const looks = await Promise.allSettled(backup.repositories.map(({ number }) => look(number)));
  const found = looks.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const errors = looks.flatMap((one) => {
    if (one.status === 'fulfilled') return [];
    if (one.reason instanceof MusterError) return [one.reason];
    throw one.reason;
  });
  return { found, errors };
}

async function rangeOf(
  damaged: DatabaseAt,
  backup: PgbackrestBackup,
  repository: number,
  live: boolean,
): Promise<{ readonly oldest: string; readonly newest: string } | undefined> {
  const scope = scopeOf(damaged.postgres, backup);
  const info = await readInfo(scope, repository);
  const backups = backupsIn(info, repository);
  const [first] = backups;
  const last = backups.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const oldest = momentOf(first.timestamp.stop + 1);
  if (live) return { oldest, newest: currentMoment() };
  const segment = info.archive.filter((one) => one.database['repo-key'] === repository).at(-1)?.max;
  const read = commitReader(damaged.postgres, scope, repository);
  const archived = segment == null ? undefined : await newestCommit([segment], read);
  return { oldest, newest: archived ?? momentOf(last.timestamp.stop) };
}

async function isLive({ postgres }: DatabaseAt): Promise<boolean> {
  const { host, port, database, admin } = postgres;
  try {
    return await withClient(
      { host, port, database, ...admin },
      { statementTimeoutMs: 3_000, connectTimeoutMs: 3_000, applicationName: 'muster coverage' },
      async (client) => {
        const { rows } = await client.query<{ recovering: boolean }>(
          'select pg_is_in_recovery() as recovering',
        );
        return rows[0]?.recovering === false;
      },
    );
  } catch {
    return false;
  }
}

function noBackup(backup: PgbackrestBackup): MusterError {
  return new PermanentError('NoBackup', `No repository of stanza ${backup.stanza} holds a backup.`, {
    next: 'Look for copies elsewhere (other sites, archives, the damaged server itself).',
  });
}
