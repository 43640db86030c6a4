/** Commands that the recovered server itself runs; pure, because the printed runbook shows them too. */
import { backupConfigOf } from '../../src/runbook/backup-config.js';
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';

/** Where WAL is fetched to ahead of replay. */
export interface Prefetch {
  /** Must be writable for the server's account; nothing in it outlives the recovery. */
  readonly directory: string;
  readonly processes: number;
}

/**
 * Fetches WAL from whichever repository has it, in their order.
 *
 * @param only this repository, where another one is known to be bad
 * @param prefetch fetches the next segments while one is replayed, which halves the time of a replay (pgBackRest:
 *   `archive-async`); absent: one at a time, which needs no directory
 */
export function archiveGetCommand(
  postgres: PostgresSite,
  backup: PgbackrestBackup,
  { only, prefetch }: { readonly only?: number | undefined; readonly prefetch?: Prefetch } = {},
): string {
  const repository = only === undefined ? [] : [`--repo=${only}`];
  const ahead =
    prefetch === undefined
      ? []
      : [
          '--archive-async',
          `--spool-path=${word(prefetch.directory)}`,
          // Its own locks: the original's server may archive on the same machine.
          `--lock-path=${word(`${prefetch.directory}/lock`)}`,
          `--process-max=${prefetch.processes}`,
          // A repository that dies under way is passed over after a while; see CommandOptions.silenceSeconds.
          '--io-timeout=10',
        ];
  return [...common(postgres, backup), ...repository, ...ahead, 'archive-get', '%f', '"%p"'].join(' ');
}

/** Sends WAL to every repository, once the copy is the primary. */
export function archivePushCommand(postgres: PostgresSite, backup: PgbackrestBackup): string {
  return [...common(postgres, backup), 'archive-push', '"%p"'].join(' ');
}

function common(postgres: PostgresSite, backup: PgbackrestBackup): readonly string[] {
  return [
    'pgbackrest',
    `--config=${word(backupConfigOf(postgres))}`,
    `--pg1-path=${word(postgres.service.dataDirectory)}`,
    `--stanza=${word(backup.stanza)}`,
  ];
}

/** For a shell, in a setting where `%` stands for what PostgreSQL fills in. */
function word(text: string): string {
  const escaped = text.replaceAll('%', '%%');
  return /^[\w./:=@%+-]+$/.test(escaped) ? escaped : `'${escaped.replaceAll("'", `'\\''`)}'`;
}
