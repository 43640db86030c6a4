import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { labFolder } from '../src/lab-environment.js';
import { LabError } from './errors.js';

/** The sites of the ledger's database: the primary, its standby in another zone, and room for a recovered copy, here and far away. */
export const SITES = ['west', 'standby', 'recovery', 'east'] as const;
export type SiteName = (typeof SITES)[number];

/** The two regions with object storage. */
export const REGIONS = ['west', 'east'] as const;
export type RegionName = (typeof REGIONS)[number];

/** In which region each site is: what is lost with it. */
export const REGION_OF: Readonly<Record<SiteName, RegionName>> = {
  west: 'west',
  standby: 'west',
  recovery: 'west',
  east: 'east',
};

/** The kernel's limit is 107 bytes; PostgreSQL and its tools leave less. */
const SOCKET_PATH_LIMIT = 100;

/** Where everything of a PostgreSQL cluster lies. */
export interface ClusterLayout {
  readonly base: string;
  readonly data: string;
  readonly socket: string;
  readonly logFile: string;
  readonly backupConfig: string;
}

/** Where everything of a system beside Payymo lies. */
export interface WorldLayout {
  readonly base: string;
  readonly client: string;
  /** The copies of its archives that lie beside its server. */
  readonly archives: string;
  readonly quarantine: string;
  readonly sites: Readonly<Record<string, ClusterLayout>>;
}

/** Where everything of a lab lies; all paths are absolute. */
export interface Layout {
  readonly dir: string;
  readonly mark: string;
  readonly stateFile: string;
  readonly lockFile: string;
  readonly secrets: string;
  readonly tls: string;
  readonly logs: string;
  readonly temporal: string;
  readonly route53: string;
  readonly dns: string;
  readonly client: string;
  readonly worker: string;
  readonly runbooks: string;
  readonly home: string;
  readonly quarantine: string;
  readonly s3: Readonly<Record<RegionName, string>>;
  readonly sites: Readonly<Record<SiteName, ClusterLayout>>;
  readonly store: ClusterLayout;
  /** A system beside Payymo. */
  readonly worldOf: (system: string, sites: readonly string[]) => WorldLayout;
  /** Folder for sockets outside of the lab, where the lab's own path is too long for them; undefined otherwise. */
  readonly shortSockets: string | undefined;
}

/** The lab's folder: MUSTER_LAB, else `/var/lib/muster/lab` for root and the user's state folder for others. */
export function defaultLabDir(): string {
  return labFolder(process.env);
}

/**
 * Names every folder and file of the lab in `dir`.
 *
 * @throws LabError when the path holds characters that configuration files would need quoted.
 */
export function layoutOf(dir: string): Layout {
  if (!isAbsolute(dir) || !/^\/[\w./@+-]+$/.test(dir)) {
    throw new LabError(
      `The lab cannot live in ${JSON.stringify(dir)}: only letters, digits and . _ - + @ / may be in its absolute path.`,
      'Choose another folder with MUSTER_LAB.',
    );
  }
  const longest = join(dir, 'practice-hub', 'recovery', 'socket', '.s.PGSQL.65535');
  const shortSockets =
    longest.length < SOCKET_PATH_LIMIT
      ? undefined
      : join(tmpdir(), `muster-${createHash('sha256').update(dir).digest('hex').slice(0, 12)}`);
  const cluster = (base: string, name: string): ClusterLayout => ({
    base,
    data: join(base, 'data'),
    socket: shortSockets ? join(shortSockets, name) : join(base, 'socket'),
    logFile: join(base, 'log', 'postgresql.log'),
    backupConfig: join(base, 'pgbackrest.conf'),
  });
  return {
    dir,
    mark: join(dir, '.muster-lab'),
    stateFile: join(dir, 'state.json'),
    lockFile: `${dir}.lock`,
    secrets: join(dir, 'secrets'),
    tls: join(dir, 'tls'),
    logs: join(dir, 'logs'),
    temporal: join(dir, 'temporal'),
    route53: join(dir, 'route53'),
    dns: join(dir, 'dns'),
    client: join(dir, 'client'),
    worker: join(dir, 'worker'),
    runbooks: join(dir, 'runbooks'),
    home: join(dir, 'home'),
    quarantine: join(dir, 'payymo', 'quarantine'),
    s3: { west: join(dir, 's3', 'west'), east: join(dir, 's3', 'east') },
    sites: {
      west: cluster(join(dir, 'payymo', 'west'), 'west'),
      standby: cluster(join(dir, 'payymo', 'standby'), 'standby'),
      recovery: cluster(join(dir, 'payymo', 'recovery'), 'recovery'),
      east: cluster(join(dir, 'payymo', 'east'), 'east'),
    },
    store: cluster(join(dir, 'store'), 'store'),
    worldOf: (system, sites) => {
      const base = join(dir, system);
      return {
        base,
        client: join(base, 'client'),
        archives: join(base, 'archives'),
        quarantine: join(base, 'quarantine'),
        sites: Object.fromEntries(
          sites.map((site) => [site, cluster(join(base, site), `${system}-${site}`)]),
        ),
      };
    },
    shortSockets,
  };
}
