import { rm } from 'node:fs/promises';
import { formatBytes } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import type { BackupTaken } from '../contract.js';
import { runBackup } from '../pgbackrest/backup.js';
import { failureOf, type PgbackrestScope, repositoryName, scopeOf } from '../pgbackrest/command.js';
import { type BackupInfo, backupsIn, readInfo } from '../pgbackrest/info.js';
import { askRepositories } from '../pgbackrest/reach.js';
import { spoolDirectoryOf } from '../provision/lease.js';
import { adminOf } from '../service/index.js';
import { waitForArchiving } from './archiving.js';
import type { ProtectInput as AnyProtectInput, BackupDriver } from './index.js';

type ProtectInput = AnyProtectInput<PgbackrestBackup>;
type Taken = BackupTaken['labels'][number];

/**
 * A full backup into each repository, because a chain across a promotion would rest on files of the damaged cluster.
 * Nothing is expired: old backups stand still until the recovery is closed (pgBackRest: backup, `--no-expire-auto`).
 */
export const pgbackrestBackup: BackupDriver<PgbackrestBackup> = {
  async protect(input, update) {
    const { target, backup } = input;
    const scope = scopeOf(target.postgres, backup);
    const { timeline, trouble, databaseBytes } = await withClient(
      adminOf(target.postgres),
      { statementTimeoutMs: 60_000, applicationName: 'muster-protect' },
      async (client) => ({
        ...(await waitForArchiving(target, client)),
        databaseBytes: Number(
          (
            await client.query<{ bytes: string }>(
              'select sum(pg_database_size(oid)) as bytes from pg_database where datallowconn or datistemplate',
            )
          ).rows[0]?.bytes ?? 0,
        ),
      }),
    );
    // Replay is over for good: what was fetched for it goes.
    await rm(spoolDirectoryOf(target.postgres.service.dataDirectory), { recursive: true, force: true });
    const total = databaseBytes * backup.repositories.length;
    const labels: Taken[] = [];
    const failures: unknown[] = trouble === undefined ? [] : [trouble];
    const answers = await askRepositories(
      scope,
      backup.repositories.map((one) => one.number),
    );
    let done = 0;
    for (const { number } of backup.repositories) {
      const show = (share: number) =>
        update({
          done: Math.min(total, Math.round(done + share * databaseBytes)),
          total,
          unit: 'bytes',
          text: `backing up into ${repositoryName(backup, number)}`,
        });
      show(0);
      try {
        const silence = answers.get(number);
        if (silence !== undefined) throw silence;
        labels.push(await backUpInto(input, scope, number, timeline, show));
      } catch (error) {
        // The other repositories are still worth having.
        failures.push(error);
      }
      done += databaseBytes;
    }
    // What says which repository is to blame is told before what follows from it.
    const failure = failures.at(-1);
    if (failure !== undefined) throw failure;
    return { labels, summary: summarise(input, labels) };
  },
};

async function backUpInto(
  { target, backup }: ProtectInput,
  scope: PgbackrestScope,
  repository: number,
  timeline: number,
  show: (share: number) => void,
): Promise<Taken> {
  const found = await newestOnTimeline(scope, repository, timeline);
  if (found !== undefined) return taken(repository, found);
  const outcome = await runBackup(
    scope,
    target,
    { repository, type: 'full', processes: backup.processes },
    show,
  );
  const name = repositoryName(backup, repository);
  if (outcome.exitCode !== 0) {
    const next = `See that ${name} can be written to, then retry the step. Until then the new primary has no backup there.`;
    throw failureOf(scope, outcome, `The backup into ${name}`, next).error;
  }
  const made = await newestOnTimeline(scope, repository, timeline);
  if (made !== undefined) return taken(repository, made);
  throw failureOf(scope, outcome, `The backup into ${name} is not listed and`, 'Run pgbackrest info by hand.')
    .error;
}

/** A backup that was begun on the new timeline was begun after the promotion. */
async function newestOnTimeline(
  scope: PgbackrestScope,
  repository: number,
  timeline: number,
): Promise<BackupInfo | undefined> {
  const info = await readInfo(scope, repository);
  return backupsIn(info, repository)
    .filter(({ archive, type }) => {
      return (
        type === 'full' &&
        archive.start !== null &&
        Number.parseInt(archive.start.slice(0, 8), 16) === timeline
      );
    })
    .at(-1);
}

/** The cluster that is meant, whatever the configuration says. */
function taken(repository: number, backup: BackupInfo): Taken {
  return { repository, label: backup.label, bytes: backup.info.repository.delta ?? backup.info.size };
}

function summarise({ backup }: ProtectInput, labels: readonly Taken[]): string {
  return labels
    .map(
      ({ repository, label, bytes }) =>
        `${label} in ${repositoryName(backup, repository)}, ${formatBytes(bytes)}`,
    )
    .join('; ');
}
