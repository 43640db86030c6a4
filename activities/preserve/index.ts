/** The damaged cluster is stopped and set aside whole: evidence, and the only place of what was written after the point. */
import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, readlink, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, Quarantine, StepRef } from '../contract.js';
import { requireReal } from '../production.js';
import { type ClusterService, serviceOf } from '../service/index.js';
import { ownedDirectory } from '../service/pg-ctl.js';
import { replacedByOther, requireFencingToken, withVault } from '../vault/index.js';

/** PostgreSQL refuses to start on a data directory with these permissions. */
const QUARANTINED = 0o500;
const IN_USE = 0o700;

export function preserveActivities(): Pick<MusterActivities, 'preserveDamaged' | 'returnFromQuarantine'> {
  return {
    async preserveDamaged({ at, damaged, quarantineDirectory, systemIdentifier, vault, token }) {
      requireReal(at, `stop ${damaged.site}`);
      const place = await placeOf(damaged, quarantineDirectory, at.runId);
      await withVault(vault, activitySignal(), async (open) => {
        const requireInCharge = async () => {
          await refuseReturned(place, at);
          await requireFencingToken(open, { ...at, token });
        };
        await requireInCharge();
        if (await exists(place.inUse)) {
          await refuseBoth(place, damaged);
          await setAside(place, damaged, { systemIdentifier, requireInCharge });
        } else if (!(await exists(place.data))) {
          throw new PermanentError(
            'ClusterMissing',
            `There is no cluster in ${place.inUse}, nor in quarantine.`,
            {
              why: 'Somebody moved or removed the data directory of the damaged primary.',
              next: 'Find it before going on: it may be the only place of what was written last. Then retry the step.',
            },
          );
        }
      });
      // After the move: only its owner's write permission lets a directory change its parent.
      await chmod(place.data, QUARANTINED);
      return describe(place);
    },

    async returnFromQuarantine({ at, damaged, quarantineDirectory, vault }) {
      requireReal(at, `start ${damaged.site}`);
      const place = await placeOf(damaged, quarantineDirectory, at.runId);
      const service = serviceOf(damaged.postgres);
      const stays = await withVault(vault, activitySignal(), (open) => replacedByOther(open, at));
      if (stays !== undefined) {
        return { summary: `the cluster of ${damaged.site} stays where it is, in ${place.data}: ${stays}` };
      }
      await mark(place, place.returned, damaged);
      if (await exists(place.data)) {
        await refuseBoth(place, damaged);
        await chmod(place.data, IN_USE);
        await rename(place.data, place.inUse);
      }
      // A primary that was down when it was set aside is left down.
      if (!(await exists(place.wasRunning))) {
        return {
          summary: `the cluster of ${damaged.site} is in ${place.inUse}; this run has not stopped it`,
        };
      }
      await service.start('ready');
      return { summary: `the cluster of ${damaged.site} is back in ${place.inUse} and runs` };
    },
  };
}

interface Place {
  readonly inUse: string;
  readonly folder: string;
  readonly data: string;
  readonly manifest: string;
  /** There since before the run stopped the server: its undo starts it again. */
  readonly wasRunning: string;
  /** There from the undo on: an earlier attempt that was frozen must not set the cluster aside once more. */
  readonly returned: string;
}

/**
 * Where the cluster goes: into quarantine, or beside its old place where quarantine is on another file system. It is only ever
 * moved: copying would take its time out of the recovery's, and could fail in the middle.
 */
async function placeOf({ postgres }: DatabaseAt, quarantineDirectory: string, runId: string): Promise<Place> {
  const inUse = postgres.service.dataDirectory;
  const name = encodeURIComponent(runId);
  const folder = join(quarantineDirectory, name);
  const sameFileSystem = (await deviceOf(dirname(inUse))) === (await deviceOf(folder));
  return {
    inUse,
    folder,
    data: sameFileSystem ? join(folder, 'data') : `${inUse}.quarantine-${name}`,
    manifest: join(folder, 'manifest.json'),
    wasRunning: join(folder, 'was-running'),
    returned: join(folder, 'returned'),
  };
}

/** File system of a path, or of where it would be made. */
async function deviceOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.dev ?? (path === dirname(path) ? 0 : deviceOf(dirname(path)));
}

async function refuseBoth(place: Place, { site }: DatabaseAt): Promise<void> {
  if (!(await exists(place.data)) || !(await exists(place.inUse))) return;
  throw new PermanentError(
    'TwoClusters',
    `A cluster of ${site} is in quarantine already, and another in ${place.inUse}.`,
    {
      why: 'Somebody made or restored a cluster at the old place since.',
      next: `Decide which one is which (pg_controldata), move the other one out of the way, then retry the step. Delete neither.`,
    },
  );
}

async function mark({ folder }: Place, file: string, damaged: DatabaseAt): Promise<void> {
  await ownedDirectory(folder, damaged.postgres.service.account, IN_USE);
  await writeFile(file, `${new Date().toISOString()}\n`, { mode: 0o600, flush: true });
}

async function refuseReturned({ returned }: Place, { runId }: StepRef): Promise<void> {
  if (!(await exists(returned))) return;
  throw new PermanentError('QuarantineReturned', `Run ${runId} was called off: the cluster is back in use.`, {
    next: 'Nothing was touched. Begin a new recovery if the cluster is to be set aside again.',
  });
}

interface SetAside {
  readonly systemIdentifier: string;
  /** Throws when the run is not in charge of the system any more; asked right before each act. */
  readonly requireInCharge: () => Promise<void>;
}

async function setAside(
  place: Place,
  damaged: DatabaseAt,
  { systemIdentifier, requireInCharge }: SetAside,
): Promise<void> {
  const service = serviceOf(damaged.postgres);
  await requireCluster(service, place, systemIdentifier);
  if ((await service.pid()) !== undefined) await mark(place, place.wasRunning, damaged);
  await requireInCharge();
  await service.stop('fast');
  await ownedDirectory(place.folder, damaged.postgres.service.account, IN_USE);
  await writeManifest(place, service);
  await requireInCharge();
  try {
    await rename(place.inUse, place.data);
  } catch (error) {
    throw new PermanentError(
      'QuarantineFailed',
      `${place.inUse} cannot be moved to ${place.data}: ${messageOf(error)}.`,
      {
        why: 'The server is stopped and its files are untouched.',
        next: `Make it possible (permissions of both parent directories; a data directory that is a mount point cannot be moved), then retry the step.`,
        cause: error,
      },
    );
  }
}

async function requireCluster(
  service: ClusterService,
  place: Place,
  systemIdentifier: string,
): Promise<void> {
  const control = await service.control();
  if (control.systemIdentifier === systemIdentifier) return;
  throw new PermanentError(
    'WrongCluster',
    `${place.inUse} holds the cluster ${control.systemIdentifier}, not ${systemIdentifier}, which was assessed.`,
    { next: 'Correct service.dataDirectory in the runbook, then retry the step. Nothing was changed.' },
  );
}

/** Written before the move, so that there is never a quarantine without one. */
async function writeManifest(place: Place, service: ClusterService): Promise<void> {
  const files = await listFiles(place.inUse);
  const controlFile = await readFile(join(place.inUse, 'global', 'pg_control'));
  const manifest = {
    schema: 'muster.quarantine/1',
    preservedAt: new Date().toISOString(),
    from: place.inUse,
    control: await service.control(),
    controlFileSha256: createHash('sha256').update(controlFile).digest('hex'),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    // Tablespaces and WAL outside of the data directory stay where they are.
    links: await listLinks(place.inUse),
    files,
  };
  await writeFile(place.manifest, `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true });
}

interface ListedFile {
  readonly path: string;
  readonly bytes: number;
  readonly modified: string;
}

async function listFiles(root: string): Promise<ListedFile[]> {
  const signal = activitySignal();
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files: ListedFile[] = [];
  for (const entry of entries) {
    signal.throwIfAborted();
    if (!entry.isFile()) continue;
    const path = join(entry.path, entry.name);
    const { size, mtime } = await stat(path);
    files.push({ path: path.slice(root.length + 1), bytes: size, modified: mtime.toISOString() });
  }
  return files.sort((one, other) => (one.path < other.path ? -1 : 1));
}

async function listLinks(root: string): Promise<{ readonly path: string; readonly leadsTo: string }[]> {
  const links: { path: string; leadsTo: string }[] = [];
  for (const folder of ['', 'pg_tblspc']) {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true }).catch(() => [])) {
      if (!entry.isSymbolicLink()) continue;
      const path = join(folder, entry.name);
      links.push({ path, leadsTo: await readlink(join(root, path)) });
    }
  }
  return links;
}

async function describe(place: Place): Promise<Quarantine> {
  const text = await readFile(place.manifest);
  const { bytes, files } = JSON.parse(text.toString()) as { bytes: number; files: readonly unknown[] };
  return {
    directory: place.data,
    bytes,
    manifest: place.manifest,
    sha256: createHash('sha256').update(text).digest('hex'),
    summary: `${formatBytes(bytes)} in ${formatCount(files.length)} files kept in ${place.data}, stopped, not to be started`,
  };
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
