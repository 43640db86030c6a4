import { readdir, readFile, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { leaseFileOf } from '../activities/provision/lease.js';
import { exists } from './folders.js';
import type { Layout, SiteName } from './layout.js';
import { type ProcessMark, startMarkOf } from './process.js';

/**
 * The server that runs on a data directory, whoever started it. Its pid file alone is not believed: the process must
 * have that very folder as its working directory, which PostgreSQL always has.
 */
export async function runningServer(dataDir: string): Promise<ProcessMark | undefined> {
  try {
    const pid = Number((await readFile(join(dataDir, 'postmaster.pid'), 'utf8')).split('\n')[0]);
    const startMark = startMarkOf(pid);
    if (!startMark || (await readlink(`/proc/${pid}/cwd`)) !== (await realpath(dataDir))) return undefined;
    return { pid, startMark };
  } catch {
    return undefined;
  }
}

/** Every PostgreSQL server on a data directory of the lab, also those that a recovery has started or put in quarantine. */
export async function serversOf(layout: Layout): Promise<ProcessMark[]> {
  const quarantined = await readdir(layout.quarantine, { recursive: false }).catch(() => []);
  const folders = [
    layout.store.data,
    ...Object.values(layout.sites).map(({ data }) => data),
    ...quarantined.flatMap((name) => [join(layout.quarantine, name), join(layout.quarantine, name, 'data')]),
  ];
  const found = await Promise.all(folders.map(runningServer));
  return found.filter((mark) => mark !== undefined);
}

/**
 * The site whose cluster takes writes: the recovery site as soon as a cluster there has been promoted. The one at west is
 * then fenced or in quarantine, and nothing of the lab may ever start it again.
 */
export async function activeSite(layout: Layout): Promise<SiteName> {
  const { data } = layout.sites.recovery;
  const there = (name: string) => exists(join(data, name));
  const promoted =
    (await there('global/pg_control')) &&
    !(await there('recovery.signal')) &&
    !(await there('standby.signal'));
  return promoted ? 'recovery' : 'west';
}

/** Whether a recovery has begun at the recovery site and has not promoted its copy. */
export async function recoveryUnderWay(layout: Layout): Promise<boolean> {
  const { data } = layout.sites.recovery;
  const begun = (await exists(leaseFileOf(data))) || (await exists(join(data, 'PG_VERSION')));
  return begun && (await activeSite(layout)) === 'west';
}
