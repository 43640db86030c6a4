import type { ArchiveBackup, Backup, BreachSection, PgbackrestBackup, Runbook } from './schema.js';

/** A backup of that driver; undefined when there is none of the name, or it is made in another way. */
export function pgbackrestOf(runbook: Runbook, name: string): PgbackrestBackup | undefined {
  const backup = runbook.backups[name];
  return backup?.driver === 'pgbackrest' ? backup : undefined;
}

/** A backup with only those of its copies that a breach has left to be trusted. */
export function trustedOf(
  backup: Backup,
  { repositories = [], copies = [] }: Pick<BreachSection, 'repositories' | 'copies'>,
): Backup {
  return backup.driver === 'archive'
    ? { ...backup, copies: backup.copies.filter((_, index) => copies.includes(index + 1)) }
    : { ...backup, repositories: backup.repositories.filter(({ number }) => repositories.includes(number)) };
}

/** What is given to something that works on backups of one driver. */
export type OfPgbackrest<Input> = Input & { readonly backup: PgbackrestBackup };
export type OfArchive<Input> = Input & { readonly backup: ArchiveBackup };

/** One thing to do, in a way for each driver: whoever asks for it need not know how the backup is made. */
export interface Ways<Input, More extends unknown[], Out> {
  readonly pgbackrest: (input: OfPgbackrest<Input>, ...more: More) => Out;
  readonly archive: (input: OfArchive<Input>, ...more: More) => Out;
}

/** @returns what does it in the way of the driver that the backup names */
export function byDriver<Input extends { readonly backup: Backup }, More extends unknown[], Out>(
  ways: Ways<Input, More, Out>,
): (input: Input, ...more: More) => Out {
  return (input, ...more) => {
    const { backup } = input;
    return backup.driver === 'archive'
      ? ways.archive({ ...input, backup }, ...more)
      : ways.pgbackrest({ ...input, backup }, ...more);
  };
}
