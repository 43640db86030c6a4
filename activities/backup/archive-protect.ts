import { type CatalogEntry, readCatalog } from '../../src/archive/catalog.js';
import { withPlace } from '../../src/archive/place.js';
import { PermanentError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { activitySignal, scheduledAt } from '../context.js';
import type { DatabaseAt } from '../contract.js';
import { adminOf } from '../service/index.js';
import { labelOf, takeArchive } from './archive.js';
import type { BackupDriver } from './index.js';

/**
 * An archive of the new primary into every copy. One that was begun on it already counts: a promoted copy has a system
 * identifier or a timeline of its own, which every archive names.
 */
export const archiveProtect: BackupDriver<ArchiveBackup> = {
  async protect({ at, target, backup }, update) {
    const now = await generationOf(target);
    const full: ArchiveBackup = { ...backup, content: 'full' };
    const before = await newestOf(at.system, full, now);
    const taken = await takeArchive(
      { at, source: target, backup: full, label: before ?? labelOf(scheduledAt(), full) },
      update,
    );
    return {
      labels: backup.copies.map((_, index) => ({
        repository: index + 1,
        label: taken.label,
        bytes: taken.bytes,
      })),
      summary: [taken.summary, taken.check, ...taken.warnings].join('; '),
    };
  },
};

interface Generation {
  readonly systemIdentifier: string;
  readonly timeline: number;
}

function generationOf(target: DatabaseAt): Promise<Generation> {
  return withClient(
    adminOf(target.postgres),
    { statementTimeoutMs: 60_000, applicationName: 'muster-protect' },
    async (client) => {
      const { rows } = await client.query<{ recovering: boolean; system: string }>(
        'select pg_is_in_recovery() as recovering, (select system_identifier::text from pg_control_system()) as system',
      );
      const [row] = rows;
      if (row?.recovering !== false) {
        throw new PermanentError('NotPromoted', `The server at ${target.site} is still in recovery.`, {
          next: 'Promote it first; a copy that is not the primary is not backed up.',
        });
      }
      // The timeline enters pg_control with the first checkpoint after a promotion.
      await client.query('checkpoint');
      const { rows: control } = await client.query<{ timeline: number }>(
        'select timeline_id as timeline from pg_control_checkpoint()',
      );
      return { systemIdentifier: row.system, timeline: control[0]?.timeline ?? 1 };
    },
  );
}

/** Label of an archive of this very server that some copy holds whole. */
async function newestOf(
  system: string,
  backup: ArchiveBackup,
  { systemIdentifier, timeline }: Generation,
): Promise<string | undefined> {
  const signal = activitySignal();
  const isOf = ({ manifest }: CatalogEntry) =>
    manifest?.content === 'full' &&
    manifest.database.systemIdentifier === systemIdentifier &&
    manifest.database.timeline === timeline;
  for (const copy of backup.copies) {
    const entries = await withPlace(copy, signal, (place) =>
      readCatalog(place, system, backup, (entry) => entry.manifest !== undefined),
    ).catch(() => []);
    const found = entries.find(isOf);
    if (found !== undefined) return found.label;
  }
  return undefined;
}
