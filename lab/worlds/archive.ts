/** The first archive of a system: there must be something to go back to. */
import { backupActivities } from '../../activities/backup/index.js';
import { readCatalog } from '../../src/archive/catalog.js';
import { withPlace } from '../../src/archive/place.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { LabError } from '../errors.js';

const STEP = { runId: 'lab', step: 'first-archive', mode: 'real' } as const;

/**
 * Takes an archive of the system's primary into every copy, unless its first copy has one already.
 *
 * @param runbookFile the lab's own
 * @returns what was taken, in words; undefined: nothing
 */
export async function takeFirstArchive(runbookFile: string): Promise<string | undefined> {
  const { runbook } = await loadRunbook(runbookFile);
  const backup = Object.values(runbook.backups).find((each) => each.driver === 'archive');
  if (backup === undefined || (await hasArchive(runbook.system, backup))) return undefined;
  return (await takeLabArchive(runbookFile)).summary;
}

/** Takes an archive now, as the owner's schedule would. @throws LabError when the system is not backed up that way */
export async function takeLabArchive(runbookFile: string) {
  const { runbook } = await loadRunbook(runbookFile);
  const backup = Object.values(runbook.backups).find((each) => each.driver === 'archive');
  const [site, { postgres }] = Object.entries(runbook.sites).find(([, { role }]) => role === 'primary') ?? [
    '',
    {},
  ];
  if (backup?.driver !== 'archive' || postgres === undefined) {
    throw new LabError(`${runbook.system} is not backed up by archives.`, 'Name a system that is.');
  }
  const at = { ...STEP, system: runbook.system, scenario: 'lab' };
  return backupActivities().takeArchive({ at, source: { site, postgres }, backup });
}

async function hasArchive(system: string, { copies, signers }: ArchiveBackup): Promise<boolean> {
  const found = await Promise.all(
    copies.map((copy) =>
      withPlace(copy, AbortSignal.timeout(30_000), (place) =>
        readCatalog(place, system, { signers }, () => true),
      ).catch(() => []),
    ),
  );
  return found.some((entries) => entries.some(({ manifest }) => manifest !== undefined));
}
