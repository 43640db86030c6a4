import type { PgbackrestBackup, Runbook } from './schema.js';

/** A backup of that driver; undefined when there is none of the name, or it is made in another way. */
export function pgbackrestOf(runbook: Runbook, name: string): PgbackrestBackup | undefined {
  const backup = runbook.backups[name];
  return backup?.driver === 'pgbackrest' ? backup : undefined;
}
