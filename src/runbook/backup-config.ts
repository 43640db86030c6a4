import type { PostgresSite } from './schema.js';

/**
 * pgBackRest's configuration file for a cluster. A runbook with backups of pgBackRest that lacks one is refused when it is
 * loaded.
 *
 * @throws TypeError where it was asked of a system that is backed up in another way
 */
export function backupConfigOf({ backupConfig, host }: Pick<PostgresSite, 'backupConfig' | 'host'>): string {
  if (backupConfig !== undefined) return backupConfig;
  throw new TypeError(`${host} has no configuration of pgBackRest: its system is backed up in another way`);
}
