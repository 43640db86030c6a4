/** A private copy that is loaded from dump archives, one after the other: each into a cluster of its own, which nobody else can reach. */
import { chown, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import { accountIds } from '../../src/process.js';
import { LONGEST_MS } from '../archive/client.js';
import { loadArchive, type OpenArchive } from '../archive/load.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, StepRef } from '../contract.js';
import { holdLease, readLease, requireHeld, takeLease } from '../provision/lease.js';
import { makeCluster, restoreRoles } from '../restore/archive-cluster.js';
import { adminOf, serviceOf } from '../service/index.js';
import { ownedDirectory } from '../service/pg-ctl.js';
import { endServer, removePrivateCopy, requireRoom } from './copy.js';
import {
  ACCESS,
  accessFileOf,
  loadingDirectoryOf,
  makeSocketFolder,
  type Purpose,
  privatePlace,
  privateSettings,
} from './place.js';

export interface PrivateArchiveCopy {
  /**
   * Loads an archive in place of the one before. It runs until the next one, or until it is closed.
   *
   * @returns how its database is reached
   * @throws PermanentError `NoRoom`, `RestoreFailed`, `InitFailed`; what reading the archive throws
   */
  load(archive: OpenArchive, update: (progress: Progress) => void): Promise<DatabaseAt>;
  /** Removes it, also where the step was called off. Leaves it alone where a later attempt has taken it over. */
  close(): Promise<void>;
}

/** A load writes WAL and sorts beside the files. */
const BESIDES_BYTES = 1024 ** 3;
const GROWTH = 1.2;

/**
 * Takes the place for this attempt: what an earlier one has left there is ended.
 *
 * @param jobs of pg_restore beside each other
 * @throws PermanentError `SocketFolderTaken`, `TargetLeased`
 */
export async function openPrivateArchiveCopy(
  at: StepRef,
  target: DatabaseAt,
  jobs: number,
  purpose: Purpose,
): Promise<PrivateArchiveCopy> {
  const place = privatePlace(at, target, purpose);
  const { postgres } = place;
  const { dataDirectory, account } = postgres.service;
  const ids = accountIds(account);
  await ownedDirectory(dirname(dataDirectory), account);
  await takeLease(at, place);
  const lease = await holdLease(at, place);
  await endServer(place);
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  if (ids.switch) await chown(dataDirectory, ids.uid, ids.gid);
  await makeSocketFolder(place);

  return {
    async load(archive, update) {
      const { database, parts } = archive.manifest;
      await requireHeld(lease);
      await endServer(place);
      await emptied(dataDirectory);
      await requireRoom(place, database.bytes * GROWTH + BESIDES_BYTES);
      await makeCluster(place, archive, privateSettings(place));
      const access = accessFileOf(dataDirectory);
      await writeFile(access, ACCESS, { mode: 0o600 });
      if (ids.switch) await chown(access, ids.uid, ids.gid);
      await requireHeld(lease);
      await serviceOf(postgres).start('ready');
      await restoreRoles(place, archive);
      const total = parts.reduce((sum, part) => sum + part.plainBytes, 0);
      await loadArchive({
        ...archive,
        postgres,
        database: 'postgres',
        how: 'create',
        jobs,
        workDirectory: loadingDirectoryOf(dataDirectory),
        signal: activitySignal(),
        update: (done, text) => update({ done: Math.min(done, total), total, unit: 'bytes', text }),
      });
      const loaded = { ...place, postgres: { ...postgres, database: database.name } };
      await analyse(loaded);
      return loaded;
    },

    async close() {
      const now = await readLease(dataDirectory);
      if (now?.id !== lease.id || now.holder !== lease.holder) return;
      await removePrivateCopy(at, target, purpose);
    },
  };
}

async function emptied(directory: string): Promise<void> {
  for (const entry of await readdir(directory)) {
    await rm(`${directory}/${entry}`, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Nobody vacuums here, and rules over tables without statistics can take hours. */
function analyse({ postgres }: DatabaseAt): Promise<unknown> {
  return withClient(
    adminOf(postgres),
    { statementTimeoutMs: LONGEST_MS, applicationName: 'muster-archive', signal: activitySignal() },
    (client) => client.query('analyze'),
  );
}
