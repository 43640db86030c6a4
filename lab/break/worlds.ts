/** Disasters of the systems beside Payymo: each for every system, by what its world says of itself. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { runningServer } from '../clusters.js';
import { LabError } from '../errors.js';
import { layoutOf, REGIONS } from '../layout.js';
import { isRunning } from '../process.js';
import type { LabState } from '../state.js';
import { takeLabArchive } from '../worlds/archive.js';
import { worldFilesBucket } from '../worlds/files.js';
import type { WorldName } from '../worlds/index.js';
import { type WorldInLab, worldIn } from '../worlds/parts.js';
import { worldHasStandby } from '../worlds/physical.js';
import { deployRelease } from '../worlds/release.js';
import { homeOf, homeRegionOf, markLost } from '../worlds/start.js';
import { archivesOf, spoilCopy } from './copies.js';
import { clock, loggedIn } from './login.js';
import { loseObjects, type ObjectLoss, type ObjectLossKind } from './object-loss.js';
import { kill, loseStore, takeOutOfSight } from './regional-loss.js';
import { damageBackup, damagePages, labelsIn } from './repositories.js';
import { send, strikeServer, untilGone } from './strike.js';
import { breakIntoWorld, type WorldIntrusion } from './world-breach.js';
import { breakWorldTable } from './world-table.js';

/** What a disaster did to a system. Times are ISO 8601 UTC. */
export interface Harm {
  /** When it began: by the database's clock (microseconds) where its data is damaged, else by this machine's. */
  readonly at: string;
  /** One sentence. */
  readonly what: string;
  readonly facts: readonly (readonly [label: string, text: string])[];
  /** The command that brings the system back. */
  readonly recover: string;
  /** Rows that each statement of a bad change hit. */
  readonly rows?: readonly { readonly what: string; readonly rows: number }[];
  /** Processes that are gone, the postmaster first. */
  readonly serverPids?: readonly number[];
  /** What a loss of files took. */
  readonly objects?: ObjectLoss;
  readonly intrusion?: WorldIntrusion;
}

/** How a disaster befalls a system, where there is more than one way. */
export interface Course {
  readonly objects?: ObjectLossKind;
}

type Inflict = (state: LabState, name: WorldName, course?: Course) => Promise<Harm>;

/** What may befall the systems beside Payymo. */
export const WORLD_DISASTERS = {
  corruption: breakRows,
  'corrupted-table': breakWorldTable,
  'infrastructure-failure': breakWorldServer,
  'az-loss': breakWorldZone,
  'regional-loss': breakWorldRegion,
  'provider-outage': breakProvider,

  'backup-loss': breakWorldBackups,

  'bad-deployment': breakRelease,

  'object-loss': breakFiles,
  breach: breakIntoWorld,
} as const satisfies Readonly<Record<string, Inflict>>;

/**
 * Deploys a bad change while the client goes on: the world's own statements, each committed by itself, by the role that deploys.
 *
 * @throws LabError when the database does not let the deploying role in
 */
async function breakRows(state: LabState, name: WorldName): Promise<Harm> {
  const world = worldIn({ layout: layoutOf(state.dir), state }, name);
  const site = world.state.sites[await homeOf(world)];
  const { deploy, database } = world.state;
  const way = {
    address: site?.address ?? '',
    port: site?.port ?? 0,
    ...{ database, login: deploy, applicationName: 'a bad change', statementTimeoutMs: 120_000 },
  };
  return loggedIn(way, 'The bad change cannot be deployed', async (client) => {
    const at = await clock(client);
    const rows: { what: string; rows: number }[] = [];
    for (const { sql, what } of world.definition.damage) {
      const { rowCount } = await client.query(sql);
      rows.push({ what, rows: rowCount ?? 0 });
    }
    const until = await clock(client);
    const counted = rows.map(({ what, rows: count }) =>
      count === 0 ? what : `${count.toLocaleString('en')} ${what}`,
    );
    return {
      at,
      what: 'A bad change has been deployed. The client goes on.',
      facts: [
        ['from', at],
        ['to', until],
        ['damage', counted.join(', ')],
      ],
      recover: `muster recover corruption ${name} --before ${at}`,
      rows,
    };
  });
}

/** Kills the server that takes the writes and deletes its disk, with the copies of archives that lie on it. */
async function breakWorldServer(state: LabState, name: WorldName): Promise<Harm> {
  const { world, home, server, cluster } = await primaryOf(state, name);
  await markLost(cluster.base, 'gone');
  const at = new Date().toISOString();
  const serverPids = strikeServer(server, 'SIGKILL');
  await untilGone(serverPids);
  const folders = [cluster.data, ...(home === world.definition.sites[0].name ? [world.layout.archives] : [])];
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  return {
    at,
    what: `The server of ${world.definition.title} at ${home} is gone, its disk with it.`,
    facts: [
      ['at', at],
      ['damage', `${serverPids.length} processes killed; ${folders.join(' and ')} deleted`],
    ],
    recover: `muster recover infrastructureFailure ${name} --detected-at ${at}`,
    serverPids,
  };
}

/**
 * The region of the primary is lost: servers, application and object store are killed, and nobody sees their disks any more, the
 * one with the local archives among them. Other systems of the lab lose the store as well.
 *
 * @throws LabError when the primary is in the other region already
 */
async function breakWorldRegion(state: LabState, name: WorldName): Promise<Harm> {
  const { world, home } = await primaryOf(state, name);
  const { sites, title, regions } = world.definition;
  const region = sites.find((site) => site.name === home)?.region;
  if (region !== 'west') {
    throw new LabError(
      `The primary of ${title} is in the east already: with that region the vault of Muster would be lost as well.`,
      'Bring the primary back to the west first, or take the lab down and up again.',
    );
  }
  const clusters = sites.flatMap((site) => {
    const cluster = world.layout.sites[site.name];
    return site.region !== region || cluster === undefined ? [] : [cluster];
  });
  for (const { base } of clusters) await markLost(base, 'region');
  const servers = await Promise.all(clusters.map(({ data }) => runningServer(data)));
  const at = new Date().toISOString();
  const serverPids = servers.flatMap((server) =>
    server === undefined ? [] : strikeServer(server, 'SIGKILL'),
  );
  const others = [kill(state.parts[`${name}-app`]), await loseStore(state, layoutOf(state.dir), region)];
  await untilGone([...serverPids, ...others.filter((pid) => pid !== null)]);
  for (const { data } of clusters) await takeOutOfSight(data);
  await takeOutOfSight(world.layout.archives);
  return {
    at,
    what: `The region ${regions[region]} is lost, and ${title} with it.`,
    facts: [
      ['at', at],
      [
        'damage',
        `${serverPids.length} processes of its servers, its application and the object store are gone`,
      ],
    ],
    recover: `muster recover regionalLoss ${name} --detected-at ${at}`,
    serverPids,
  };
}

/**
 * The provider of the primary is out. All that it runs for the system is in its region: servers, application, object store and
 * the disks with the local archives; a standby at the other provider lives.
 *
 * @throws LabError as for the loss of a region
 */
async function breakProvider(state: LabState, name: WorldName): Promise<Harm> {
  const harm = await breakWorldRegion(state, name);
  const { title, providers } = worldIn({ layout: layoutOf(state.dir), state }, name).definition;
  return {
    ...harm,
    what: `The provider ${providers?.west} is out, and ${title} with it.`,
    recover: `muster recover providerOutage ${name} --detected-at ${harm.at}`,
  };
}

/**
 * The zone of the primary is lost: its server and the application there are killed at once.
 *
 * @throws LabError when no standby follows in another zone
 */
async function breakWorldZone(state: LabState, name: WorldName): Promise<Harm> {
  const { world, home, server, cluster } = await primaryOf(state, name);
  if (!(await worldHasStandby(world))) {
    throw new LabError(
      `${world.definition.title} has no standby in another zone.`,
      'Raise it with muster lab up --standby, where the system has a place for one.',
    );
  }
  await markLost(cluster.base, 'dead');
  const application = state.parts[`${name}-app`];
  const at = new Date().toISOString();
  const serverPids = strikeServer(server, 'SIGKILL');
  if (application !== undefined && isRunning(application)) send(application.pid, 'SIGKILL');
  await untilGone(serverPids);
  return {
    at,
    what: `The zone of ${world.definition.title} at ${home} is lost.`,
    facts: [
      ['at', at],
      ['damage', `the primary is dead (${serverPids.length} processes killed), the application is gone`],
    ],
    recover: `muster recover azLoss ${name} --detected-at ${at}`,
    serverPids,
  };
}

/** Deploys the bad release, which migrates the database; the client goes on, and what it writes is acknowledged. */
async function breakRelease(state: LabState, name: WorldName): Promise<Harm> {
  const { releases, title } = worldIn({ layout: layoutOf(state.dir), state }, name).definition;
  if (releases === undefined)
    throw new LabError(`${title} has one release only.`, 'Choose another disaster.');
  const { release, migration, breaks } = releases.bad;
  const at = new Date().toISOString();
  await deployRelease(state, name, release);
  return {
    at,
    what: `Release ${release} of ${title} has been deployed, and is bad. The client goes on.`,
    facts: [
      ['from', at],
      ['damage', `${breaks.join(', ')} cannot be answered any more`],
      ['migrated', migration],
    ],
    recover: `muster recover badDeployment ${name} --detected-at ${at}`,
  };
}

/** Files of the bucket in use are deleted and overwritten, or the bucket is; the client goes on. */
async function breakFiles(
  state: LabState,
  name: WorldName,
  { objects: kind = 'files' }: Course = {},
): Promise<Harm> {
  const own = worldIn({ layout: layoutOf(state.dir), state }, name);
  const { files, title } = own.definition;
  if (files === undefined) throw new LabError(`${title} keeps no files.`, 'Choose another disaster.');
  const objects = await loseObjects(worldFilesBucket(state, files, await homeRegionOf(own)), kind);
  const { bucket, startedAt, finishedAt, deleted, overwritten } = objects;
  const since =
    kind === 'bucket' ? `--detected-at ${startedAt}` : `--before ${startedAt} --until ${finishedAt}`;
  return {
    at: startedAt,
    what:
      kind === 'bucket'
        ? `The bucket ${bucket} of ${title} is deleted with all its versions. The client goes on.`
        : `Files of ${title} in ${bucket} are deleted and overwritten. The client goes on.`,
    facts: [
      ['from', startedAt],
      ['to', finishedAt],
      ['damage', `${deleted.length} files deleted, ${overwritten.length} overwritten`],
    ],
    recover: `muster recover objectLoss ${name} ${since}`,
    objects,
  };
}

/** The usual copies are all bad, in the way of how the system is backed up. */
function breakWorldBackups(state: LabState, name: WorldName): Promise<Harm> {
  const { backup } = worldIn({ layout: layoutOf(state.dir), state }, name).definition;
  return backup === 'archive' ? breakWorldCopies(state, name) : breakWorldRepositories(state, name);
}

/**
 * Every backup is damaged, overwritten in the west and cut off in the east, and so is the disk of the primary, whose server is
 * killed: the standby is what is left.
 *
 * @throws LabError when no standby follows
 */
async function breakWorldRepositories(state: LabState, name: WorldName): Promise<Harm> {
  const { world, home, server, cluster } = await primaryOf(state, name);
  const { title } = world.definition;
  if (world.state.backup.driver !== 'pgbackrest' || !(await worldHasStandby(world))) {
    throw new LabError(`${title} has no standby that could be left.`, 'Raise it: muster lab up --standby.');
  }
  const { stanza } = world.state.backup;
  const hit: string[] = [];
  for (const region of REGIONS) {
    const store = join(layoutOf(state.dir).s3[region], 'data', world.state.bucket);
    const folder = join(store, 'postgresql', 'backup', stanza);
    const how = region === 'east' ? 'cut off' : 'overwritten';
    for (const label of await labelsIn(folder)) {
      hit.push(
        `${world.definition.regions[region]}/${label}: ${await damageBackup(join(folder, label), how)} places ${how}`,
      );
    }
  }
  await markLost(cluster.base, 'damaged');
  const at = new Date().toISOString();
  const serverPids = strikeServer(server, 'SIGKILL');
  await untilGone(serverPids);
  const pages = await damagePages(cluster.data);
  return {
    at,
    what: `The backups of ${title} are damaged, and so is the disk at ${home}.`,
    facts: [
      ['at', at],
      ['damage', `${serverPids.length} processes killed, ${pages} pages of the primary overwritten`],
      ...hit.map((text) => ['backup', text] as const),
      ['left', 'the streaming standby'],
    ],
    recover: `muster recover backupLoss ${name} --detected-at ${at}`,
    serverPids,
  };
}

/**
 * A bad change, and the usual copies are all bad: beside the server they are deleted, in the west overwritten, and in the east
 * the newest one is. What is left is the archive before that in the east, the versions in the buckets, and the damaged server.
 *
 * @throws LabError for a system that is not backed up by archives
 */
async function breakWorldCopies(state: LabState, name: WorldName): Promise<Harm> {
  const file = join(state.runbooks, `${name}.yaml`);
  const { backup } = await archivesOf(file);
  const { label } = await takeLabArchive(file);
  const harm = await breakRows(state, name);
  const hit: string[] = [];
  for (const [index, copy] of backup.copies.entries()) {
    const fate = copy.driver === 'folder' ? 'deleted' : 'overwritten';
    const last = index === backup.copies.length - 1;
    const files = await spoilCopy(name, copy, fate, last ? [label] : undefined);
    hit.push(`${copy.title}: ${files} files ${fate}${last ? `, those of ${label}` : ''}`);
  }
  return {
    ...harm,
    what: `${harm.what} The usual copies are bad.`,
    facts: [...harm.facts, ...hit.map((text) => ['copy', text] as const)],
    recover: `muster recover backupLoss ${name} --detected-at ${harm.at}`,
  };
}

/**
 * The server of a system that takes its writes.
 *
 * @throws LabError when none runs
 */
export async function primaryOf(state: LabState, name: WorldName) {
  const world: WorldInLab = worldIn({ layout: layoutOf(state.dir), state }, name);
  const home = await homeOf(world);
  const cluster = world.layout.sites[home];
  const server = cluster === undefined ? undefined : await runningServer(cluster.data);
  if (cluster === undefined || server === undefined) {
    throw new LabError(
      `No server of ${world.definition.title} runs at ${home}: it cannot be lost any more.`,
      'See whether the lab is up (muster lab status).',
    );
  }
  return { world, home, cluster, server };
}
