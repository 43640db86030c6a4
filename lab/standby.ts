/** A streaming standby of the ledger in the other zone: a real base backup, a physical slot, replication over the network. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { runTool } from '../src/process.js';
import { resolveSecret } from '../src/secrets.js';
import { activeSite, isLost, recoveryUnderWay, runningServer } from './clusters.js';
import { LabError } from './errors.js';
import { exists } from './folders.js';
import type { World } from './keeper.js';
import type { Layout, SiteName } from './layout.js';
import { ledgerPart, type PartContext } from './parts/all.js';
import { ensurePart } from './parts/part.js';
import { archiveCommand, restoreCommand } from './parts/pgbackrest.js';
import {
  listening,
  makeClusterFolders,
  socketClient,
  withClient,
  writeSiteSettings,
} from './parts/postgres.js';
import { stopProcess } from './process.js';
import { waitFor } from './wait.js';

/** The slot by which the primary keeps what the standby has not received yet. */
export const SLOT = 'muster_standby';

/** Whether the lab has a standby that was not promoted. */
export function hasStandby(layout: Layout): Promise<boolean> {
  return exists(join(layout.sites.standby.data, 'standby.signal'));
}

/** Starts a standby again that is down. What it follows may be gone by now: that it answers is enough. */
export async function keepStandby(world: World, context: PartContext): Promise<void> {
  if (await isLost(context.layout, await activeSite(context.layout))) return;
  await ensurePart(ledgerPart(context, 'standby'), world);
}

/**
 * Raises the standby, or what of it is down, and waits until it streams. One that follows another server than the primary of
 * now, because that was recovered elsewhere, is copied anew. Does nothing once it was promoted: it is no standby
 * any more.
 *
 * @throws LabError when there is no primary that it could follow
 */
export async function raiseStandby(world: World, context: PartContext): Promise<void> {
  const { layout } = context;
  const { data } = layout.sites.standby;
  const active = await activeSite(layout);
  if (active === 'standby') {
    world.log('ledger: the standby was promoted, it is the primary now');
    return;
  }
  if (await isLost(layout, active)) {
    world.log(`standby: ${active} is lost, it is left as it is`);
    return;
  }
  await makeClusterFolders(layout.sites.standby, context.account);
  const primary = (): pg.Client =>
    socketClient(layout.sites[active], context.state.ledger.sites[active].port, 'postgres');
  await withClient(primary(), (client) => welcome(client, context));
  if (!(await follows(context, active))) {
    const running = await runningServer(data);
    if (running) await stopProcess(running, 'SIGQUIT');
    await copyPrimary(world, context, active);
  }
  await ensurePart(ledgerPart(context, 'standby'), world);
  await waitFor({ what: 'the standby to stream', deadlineMs: 30_000 }, () =>
    withClient(primary(), async (client) => {
      const { rows } = await client.query(
        "select from pg_stat_replication join pg_replication_slots on active_pid = pid where slot_name = $1 and state = 'streaming'",
        [SLOT],
      );
      if (rows.length === 0) throw new Error('the primary does not stream to it yet');
    }),
  );
}

/** Whoever may be followed one day knows the login that standbys use, from the beginning. */
export async function welcomeStandbys(context: PartContext): Promise<void> {
  const { layout, state } = context;
  const active = await activeSite(layout);
  const runs = (await runningServer(layout.sites[active].data)) !== undefined;
  if (!runs || (await isLost(layout, active)) || (await recoveryUnderWay(layout))) return;
  const primary = socketClient(layout.sites[active], state.ledger.sites[active].port, 'postgres');
  await withClient(primary, (client) => replicationLogin(client, context));
}

async function follows({ layout, state }: PartContext, active: SiteName): Promise<boolean> {
  if (!(await hasStandby(layout))) return false;
  const text = await readFile(join(layout.sites.standby.data, 'postgresql.auto.conf'), 'utf8');
  return text.includes(`host=${state.ledger.sites[active].address} `);
}

/** The login and the slot. */
async function welcome(client: pg.Client, context: PartContext): Promise<void> {
  await replicationLogin(client, context);
  await client.query(
    'select pg_create_physical_replication_slot($1, true) where not exists (select from pg_replication_slots where slot_name = $1)',
    [SLOT],
  );
}

async function replicationLogin(client: pg.Client, { state }: PartContext): Promise<void> {
  const { user, password } = state.ledger.replication;
  const known = await client.query('select from pg_roles where rolname = $1', [user]);
  const secret = client.escapeLiteral(await resolveSecret(password));
  if (known.rows.length === 0)
    await client.query(`create role ${client.escapeIdentifier(user)} login replication password ${secret}`);
}

async function copyPrimary(
  world: World,
  context: PartContext,
  active: Exclude<SiteName, 'standby'>,
): Promise<void> {
  const { layout, state, programs, account } = context;
  const { standby } = layout.sites;
  const { address, port } = state.ledger.sites[active];
  const { user, password } = state.ledger.replication;
  const begun = performance.now();
  // What an attempt that was cut short has left; a finished one has its signal file.
  await rm(standby.data, { recursive: true, force: true });
  const how = ['-D', standby.data, '-h', address, '-p', String(port), '-U', user, '-S', SLOT];
  const outcome = await runTool(
    join(programs.postgresBin, 'pg_basebackup'),
    [...how, '-X', 'stream', '-R', '--checkpoint=fast', '--no-sync', '--no-password'],
    {
      account: account.name,
      env: { PGPASSWORD: await resolveSecret(password), LC_ALL: 'C' },
      timeoutMs: 3_600_000,
    },
  );
  if (outcome.exitCode !== 0) {
    throw new LabError(
      `The standby cannot be copied from ${active}: ${outcome.stderr.trim()}`,
      'See whether the primary runs (muster lab status), then run muster lab up --standby again.',
    );
  }
  await writeSiteSettings(standby, account, {
    ...listening(standby, state.ledger.sites.standby.address, port),
    archive_command: archiveCommand(programs.pgbackrest, standby),
    restore_command: restoreCommand(programs.pgbackrest, standby),
  });
  world.log(`standby: copied from ${active} in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}
