/** What the archives of a system cover: asked before anything is started. Nothing is changed, and no archive is read. */
import { openCatalog } from '../../src/archive/catalog.js';
import { withPlace } from '../../src/archive/place.js';
import { MusterError, PermanentError } from '../../src/errors.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { identitiesOf, momentOfLabel } from './choice.js';

export interface ArchiveReach {
  /** When the oldest full archive was begun, ISO 8601 UTC; undefined: there is none. */
  readonly oldest: string | undefined;
  /** The same of the newest. */
  readonly newest: string | undefined;
  /** What the copies that cannot be read say, where another one can. */
  readonly unreadable: readonly MusterError[];
}

/** @throws what the first copy says when none can be read; PermanentError `ArchiveKeyMissing`, `SecretMissing` */
export async function archiveReach(
  system: string,
  backup: ArchiveBackup,
  signal: AbortSignal,
): Promise<ArchiveReach> {
  await identitiesOf(backup);
  const looks = await Promise.allSettled(
    backup.copies.map((copy) =>
      withPlace(copy, signal, async (place) => (await openCatalog(place, system, backup)).labels),
    ),
  );
  const unreadable = looks.flatMap((one) => {
    if (one.status === 'fulfilled') return [];
    if (one.reason instanceof MusterError) return [one.reason];
    throw one.reason;
  });
  if (unreadable.length === looks.length) throw unreadable[0] ?? noCopy(system);
  const labels = looks.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const full = labels.filter((label) => label.endsWith('-full')).sort();
  const [oldest, newest] = [full[0], full.at(-1)].map((label) =>
    label === undefined ? undefined : momentOfLabel(label),
  );
  return { oldest, newest, unreadable };
}

function noCopy(system: string): PermanentError {
  return new PermanentError('NoArchive', `The runbook names no copy of the archives of ${system}.`, {
    next: 'Name one (backups.<name>.copies).',
  });
}
