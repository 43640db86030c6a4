import { readCatalog } from '../../src/archive/catalog.js';
import { withPlace } from '../../src/archive/place.js';
import { messageOf } from '../../src/errors.js';
import { activitySignal } from '../context.js';
import type { ArchiveCatalog, MusterActivities } from '../contract.js';

/** Reads the catalog of every copy; one that cannot be read holds nothing up. */
export const listArchives: MusterActivities['listArchives'] = async ({ at, backup }) => {
  const signal = activitySignal();
  const copies = await Promise.all(
    backup.copies.map(async (copy): Promise<ArchiveCatalog['copies'][number]> => {
      try {
        const entries = await withPlace(copy, signal, (place) => readCatalog(place, at.system, backup));
        const archives = entries.map(({ label, bytes, manifest, unusable }) => ({
          label,
          bytes,
          snapshotAt: manifest?.snapshot.at ?? null,
          databaseBytes: manifest?.database.bytes ?? null,
          unusable: unusable === undefined ? null : messageOf(unusable),
        }));
        return { title: copy.title, archives, unreadable: null };
      } catch (error) {
        signal.throwIfAborted();
        return { title: copy.title, archives: [], unreadable: messageOf(error) };
      }
    }),
  );
  const inWords = copies.map(({ title, archives, unreadable }) => {
    const usable = archives.filter((one) => one.unusable === null);
    return `${title}: ${unreadable ?? `${usable.length} usable${usable[0] === undefined ? '' : `, newest ${usable[0].label}`}`}`;
  });
  return { copies, summary: inWords.join('; ') };
};
