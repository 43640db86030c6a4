/** Physical backups of a system beside Payymo, with its WAL, in a repository in each region; and its streaming standby. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { runTool } from '../../src/process.js';
import { resolveSecret } from '../../src/secrets.js';
import { LabError } from '../errors.js';
import { exists } from '../folders.js';
import type { World } from '../keeper.js';
import { type ClusterLayout, REGIONS, type RegionName } from '../layout.js';
import { type PartContext, regionStore } from '../parts/all.js';
import { ensurePart } from '../parts/part.js';
import {
  archiveCommand,
  cleanConfigOf,
  pgbackrest,
  restoreCommand,
  writeBackupConfig,
} from '../parts/pgbackrest.js';
import { listening, socketClient, withClient, writeSiteSettings } from '../parts/postgres.js';
import type { SiteState, WorldState } from '../state.js';
import { tlsFiles } from '../tls.js';
import { waitFor } from '../wait.js';
import { type WorldInLab, worldPostgresPart } from './parts.js';

/** The slot by which the primary keeps what the standby has not received yet. */
export const WORLD_SLOT = 'muster_standby';

/** Settings of the system's server at a site. */
export function worldSiteSettings(
  { programs }: PartContext,
  { backup }: WorldState,
  cluster: ClusterLayout,
  { address, port }: SiteState,
): Record<string, string> {
  const own = listening(cluster, address, port);
  if (backup.driver !== 'pgbackrest') return own;
  return { ...own, archive_command: archiveCommand(programs.pgbackrest, cluster, backup.stanza) };
}

/** One for each site, with both repositories, each encrypted with a passphrase of its own. */
export async function writeWorldBackupConfigs(
  context: PartContext,
  { layout, state, definition }: Pick<WorldInLab, 'layout' | 'state' | 'definition'>,
): Promise<void> {
  if (state.backup.driver !== 'pgbackrest') return;
  const { stanza } = state.backup;
  const repository = async (region: RegionName) => {
    const { port, accessKeyId, secretAccessKey } = regionStore(context, region);
    const file = join(context.layout.secrets, `${stanza}-backup-${region}-passphrase`);
    return { port, accessKeyId, secretAccessKey, passphrase: await resolveSecret(`file:${file}`) };
  };
  const [west, east] = await Promise.all(REGIONS.map(repository));
  if (west === undefined || east === undefined) throw new TypeError('there are two regions');
  for (const { name, region } of definition.sites) {
    const cluster = layout.sites[name];
    if (cluster === undefined) continue;
    const each = {
      stanza,
      bucket: state.bucket,
      cluster,
      port: Object.values(state.sites)[0]?.port ?? 0,
      account: context.account,
      caFile: tlsFiles(context.layout.tls).ca,
    };
    // In the other region nothing may hang on the one that is lost.
    await writeBackupConfig({ ...each, repositories: region === 'west' ? { west, east } : { east } });
    if (name !== 'recovery') continue;
    const file = cleanConfigOf(cluster.backupConfig);
    await writeBackupConfig({ ...each, file, repositories: { east } });
  }
}

/** Takes the first full backup into both repositories, unless there is one. @returns what was done, in words */
export async function takeFirstBackup(
  { programs, account }: PartContext,
  { state, layout, definition }: WorldInLab,
): Promise<string | undefined> {
  const { backup } = state;
  const cluster = layout.sites[definition.sites[0].name];
  if (backup.driver !== 'pgbackrest' || cluster === undefined) return undefined;
  const tool = (...args: string[]) => pgbackrest(programs.pgbackrest, cluster, account, args, backup.stanza);
  const known = JSON.parse(await tool('--output=json', 'info')) as readonly { backup?: readonly unknown[] }[];
  if (known.some((stanza) => (stanza.backup?.length ?? 0) > 0)) return undefined;
  const begun = performance.now();
  await tool('stanza-create');
  for (const number of ['1', '2']) await tool(`--repo=${number}`, '--type=full', 'backup');
  return `first full backup in both repositories, ${((performance.now() - begun) / 1000).toFixed(1)} s`;
}

/** Whether the system has a standby that was not promoted. */
export function worldHasStandby({ layout }: Pick<WorldInLab, 'layout'>): Promise<boolean> {
  const { standby } = layout.sites;
  return standby === undefined ? Promise.resolve(false) : exists(join(standby.data, 'standby.signal'));
}

/**
 * Raises the system's standby, or what of it is down, and waits until it streams from the primary at `home`.
 *
 * @throws LabError when the system has no place for one
 */
export async function raiseWorldStandby(
  world: World,
  context: PartContext,
  own: WorldInLab,
  home: string,
): Promise<void> {
  const [primary, place] = [own.layout.sites[home], own.state.sites[home]];
  const { standby } = own.layout.sites;
  if (primary === undefined || place === undefined || standby === undefined || home === 'standby') {
    throw new LabError(
      `${own.definition.title} has no place for a standby of ${home}.`,
      `Name a site called standby in lab/worlds/${own.name}.ts.`,
    );
  }
  const asSuperuser = (): pg.Client => socketClient(primary, place.port, 'postgres');
  await withClient(asSuperuser(), (client) =>
    client.query(
      'select pg_create_physical_replication_slot($1, true) where not exists (select from pg_replication_slots where slot_name = $1)',
      [WORLD_SLOT],
    ),
  );
  if (!(await follows(own, standby, place))) await copyFrom(context, own, standby, place);
  await ensurePart(await worldPostgresPart(context, own, 'standby'), world);
  await waitFor({ what: `the standby of ${own.name} to stream`, deadlineMs: 30_000 }, () =>
    withClient(asSuperuser(), async (client) => {
      const { rows } = await client.query(
        "select from pg_stat_replication join pg_replication_slots on active_pid = pid where slot_name = $1 and state = 'streaming'",
        [WORLD_SLOT],
      );
      if (rows.length === 0) throw new Error('the primary does not stream to it yet');
    }),
  );
}

async function follows(own: WorldInLab, standby: ClusterLayout, primary: SiteState): Promise<boolean> {
  if (!(await worldHasStandby(own))) return false;
  const text = await readFile(join(standby.data, 'postgresql.auto.conf'), 'utf8');
  return text.includes(`host=${primary.address} `);
}

async function copyFrom(
  context: PartContext,
  { name, state }: WorldInLab,
  standby: ClusterLayout,
  primary: SiteState,
): Promise<void> {
  const { programs, account } = context;
  const { user, password } = state.replication;
  const place = state.sites.standby;
  if (place === undefined) throw new TypeError(`${name} has no site standby`);
  // What an attempt that was cut short has left; a finished one has its signal file.
  await rm(standby.data, { recursive: true, force: true });
  const from = ['-h', primary.address, '-p', String(primary.port), '-U', user, '-S', WORLD_SLOT];
  const outcome = await runTool(
    join(programs.postgresBin, 'pg_basebackup'),
    ['-D', standby.data, ...from, '-X', 'stream', '-R', '--checkpoint=fast', '--no-sync', '--no-password'],
    {
      account: account.name,
      env: { PGPASSWORD: await resolveSecret(password), LC_ALL: 'C' },
      timeoutMs: 600_000,
    },
  );
  if (outcome.exitCode !== 0) {
    throw new LabError(
      `The standby of ${name} cannot be copied from ${primary.address}: ${outcome.stderr.trim()}`,
      'See whether the primary runs (muster lab status), then run muster lab up --standby again.',
    );
  }
  const restoring =
    state.backup.driver === 'pgbackrest'
      ? { restore_command: restoreCommand(programs.pgbackrest, standby, state.backup.stanza) }
      : {};
  const settings = { ...worldSiteSettings(context, state, standby, place), ...restoring };
  await writeSiteSettings(standby, account, settings);
}
