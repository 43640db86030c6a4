/** Commands that the recovered server itself runs; pure, because the printed runbook shows them too. */
import type { PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';

/**
 * Fetches WAL from whichever repository has it, in their order.
 * @param only this repository, where another one is known to be bad
 */
export function archiveGetCommand(postgres: PostgresSite, backup: PgbackrestBackup, only?: number): string {
  const repository = only === undefined ? [] : [`--repo=${only}`];
  return [...common(postgres, backup), ...repository, 'archive-get', '%f', '"%p"'].join(' ');
}

/** Sends WAL to every repository, once the copy is the primary. */
export function archivePushCommand(postgres: PostgresSite, backup: PgbackrestBackup): string {
  return [...common(postgres, backup), 'archive-push', '"%p"'].join(' ');
}

function common(postgres: PostgresSite, backup: PgbackrestBackup): readonly string[] {
  return [
    'pgbackrest',
    `--config=${word(postgres.backupConfig)}`,
    `--pg1-path=${word(postgres.service.dataDirectory)}`,
    `--stanza=${word(backup.stanza)}`,
  ];
}

/** For a shell, in a setting where `%` stands for what PostgreSQL fills in. */
function word(text: string): string {
  const escaped = text.replaceAll('%', '%%');
  return /^[\w./:=@%+-]+$/.test(escaped) ? escaped : `'${escaped.replaceAll("'", `'\\''`)}'`;
}
