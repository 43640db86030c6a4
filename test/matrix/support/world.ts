/** The systems beside Payymo: what is done before a disaster, and what must be so after a recovery from archives. */
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { CopyFound, LossReport, Promotion, RecoveryPoint } from '../../../activities/contract.js';
import { runningServer } from '../../../lab/clusters.js';
import { withClient } from '../../../lab/parts/postgres.js';
import type { LoginState, SiteState, WorldState } from '../../../lab/state.js';
import { statusLab } from '../../../lab/status.js';
import { takeLabArchive } from '../../../lab/worlds/archive.js';
import type { WorldName } from '../../../lab/worlds/index.js';
import { resolveSecret } from '../../../src/secrets.js';
import { eventually } from '../../support/eventually.js';
import type { Acknowledged, Incident } from '../../support/incident.js';
import { namesLead, oldPrimaryIsDead, paymentsAreThere } from '../../support/judge.js';
import type { Recovered, Stage } from './cell.js';

export async function worldNow({ lab, incident }: Stage): Promise<WorldState> {
  const state = (await statusLab(lab.dir))?.state ?? lab.state;
  const world = state.worlds[incident.system as WorldName];
  if (world === undefined) throw new Error(`${incident.system} does not live in the lab`);
  return world;
}

/** Every record that the client was told is written. */
export async function acknowledgedBy({ clientUrl }: WorldState): Promise<readonly Acknowledged[]> {
  const text = await (await fetch(`${clientUrl}/acknowledged`)).text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Acknowledged]));
}

/** Waits until the client has been told of so many more. */
export async function moreAcknowledged(world: WorldState, count: number): Promise<void> {
  const before = (await acknowledgedBy(world)).length;
  await eventually(async () => {
    expect((await acknowledgedBy(world)).length).toBeGreaterThanOrEqual(before + count);
  });
}

/** Records, the night's archive, and records that are not in it. @returns those that are in the archive for certain */
export async function writeAndArchive(stage: Stage): Promise<ReadonlySet<string>> {
  const world = await worldNow(stage);
  await moreAcknowledged(world, 4);
  const before = await acknowledgedBy(world);
  await takeLabArchive(join(stage.lab.state.runbooks, `${stage.incident.system}.yaml`));
  await moreAcknowledged(world, 4);
  return new Set(before.map(({ id }) => id));
}

/** Records, all of them in the archive of WAL, and records that may not be. @returns those that are in it for certain */
export async function writeAndArchiveWal(stage: Stage): Promise<ReadonlySet<string>> {
  const world = await worldNow(stage);
  await moreAcknowledged(world, 4);
  const before = await acknowledgedBy(world);
  const primary = siteOf(world, 'west');
  const [segment = ''] = await column(world, primary, 'select pg_walfile_name(pg_switch_wal())');
  await eventually(async () => {
    const [archived = ''] = await column(world, primary, 'select last_archived_wal from pg_stat_archiver');
    expect(archived >= segment).toBe(true);
  });
  await moreAcknowledged(world, 4);
  return new Set(before.map(({ id }) => id));
}

/** Approves each gate as the person whom the runbook names for it. */
export function approvedBy(people: Readonly<Record<string, string>>) {
  return async (incident: Incident, gate: string): Promise<void> => {
    const by = people[gate] ?? '';
    const said = await incident.muster('approve', incident.system, gate, '--by', by);
    if (said.code !== 0) throw new Error(`exit code ${said.code}: ${said.stderr}`);
  };
}

/** Goes on without the proof of the fence, as the people of the runbook's `breakGlass` one after the other. */
export function sworn(reason: string, ...people: readonly string[]) {
  return async (incident: Incident): Promise<void> => {
    for (const by of people) {
      const how = ['--by', by, '--reason', reason, '--yes'];
      const said = await incident.muster('override', incident.system, 'fence-primary', ...how);
      if (said.code !== 0) throw new Error(`exit code ${said.code}: ${said.stderr}`);
    }
  };
}

/**
 * Looks at vault, timeline, the old primary, every acknowledged record, invariants and DNS at the new place.
 * @param places where the primary was, and where it must be now
 */
export function worldIsRight({ from, to, table }: { from: string; to: string; table: string }) {
  return async (recovered: Recovered): Promise<readonly string[]> => {
    const { incident, safe, result } = recovered;
    const world = await worldNow(recovered);
    const [old, now] = [siteOf(world, from), siteOf(world, to)];
    const promotion = result.outputs.promote as Promotion;
    const point = result.outputs['propose-point'] as RecoveryPoint | undefined;
    const found = result.outputs['try-copies'] as CopyFound | undefined;
    const flow = await moreAcknowledged(world, 3).then(
      () => true,
      () => false,
    );
    const acknowledged = await acknowledgedBy(world);
    const present = new Set(await column(world, now, `select id::text from ${table}`));
    const missing = acknowledged.filter(({ id }) => !present.has(id));
    const measured = Object.values((result.outputs['measure-loss'] as LossReport).classes).find(
      ({ method }) => method.startsWith('every acknowledged'),
    );
    const kinds = (await incident.claims()).map(({ kind }) => kind).join();
    const recovering = (await column(world, now, 'select pg_is_in_recovery()::text')).join();
    return [
      ...(kinds === 'fence,promotion' ? [] : [`claims: ${kinds}`]),
      ...(recovering === 'false' && promotion.timeline === 2
        ? []
        : ['the copy is not promoted, or more than once']),
      ...(world.backup.driver === 'archive' && point?.archive === undefined && found?.kind !== 'archive'
        ? ['no archive was gone back to']
        : []),
      ...oldPrimaryIsDead({ old: await oldFacts(world, old) }),
      ...paymentsAreThere({
        payments: {
          flow,
          missing,
          measuredLost: measured?.lostRecords,
          missingFromBefore: missing.filter(({ id }) => safe.has(id)).length,
          promotedAt: promotion.promotedAt,
        },
      }),
      ...namesLead({ names: await namesOf(recovered, world, now) }),
      ...(await brokenInvariants(recovered, world, now)).map(
        (name) => `the new primary breaks the invariant ${name}`,
      ),
    ];
  };
}

export function siteOf(world: WorldState, name: string): SiteState {
  const site = world.sites[name];
  if (site === undefined) throw new Error(`there is no site ${name}`);
  return site;
}

async function oldFacts(world: WorldState, old: SiteState) {
  const lets: string[] = [];
  for (const login of [world.app, world.admin]) {
    const got = await on(world, old, login, async () => 'in').catch(() => 'refused');
    if (got === 'in') lets.push(login.user);
  }
  return { serverRuns: (await runningServer(old.dataDir)) !== undefined, lets };
}

export async function namesOf({ lab, incident }: Stage, world: WorldState, now: SiteState) {
  const { dns } = await incident.runbook();
  const [record] = Object.values(dns);
  const resolver = new Resolver({ timeout: 5_000, tries: 2 });
  resolver.setServers([lab.state.dns.resolver]);
  const resolved = (await resolver.resolve4(world.dns.record)).join();
  const wanted = { address: now.address, ttl: record?.ttl ?? 0 };
  const [answer] = await resolver.resolve4(world.dns.record, { ttl: true });
  const ttl = answer !== undefined && answer.ttl <= wanted.ttl ? wanted.ttl : answer?.ttl;
  return { values: [resolved], ttl, resolved, wanted };
}

export async function brokenInvariants(
  { incident }: Pick<Stage, 'incident'>,
  world: WorldState,
  now: SiteState,
): Promise<string[]> {
  const { verification } = await incident.runbook();
  return on(world, now, world.admin, async (client) => {
    const broken: string[] = [];
    for (const { name, sql } of verification.invariants) {
      if ((await client.query(sql)).rowCount !== 0) broken.push(name);
    }
    return broken;
  });
}

export function column(world: WorldState, site: SiteState, sql: string): Promise<string[]> {
  return on(world, site, world.admin, async (client) => {
    const { rows } = await client.query({ text: sql, rowMode: 'array' });
    return rows.map((row: unknown[]) => String(row[0]));
  });
}

/** The system's administrator at a site, not connected yet. */
export function adminAt(world: WorldState, site: string): Promise<pg.Client> {
  return clientOf(world, siteOf(world, site), world.admin);
}

export async function on<T>(
  world: WorldState,
  site: SiteState,
  login: LoginState,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  return withClient(await clientOf(world, site, login), work);
}

async function clientOf(
  { database }: WorldState,
  { address, port }: SiteState,
  { user, password }: LoginState,
): Promise<pg.Client> {
  const where = { host: address, port, database, connectionTimeoutMillis: 5_000 };
  return new pg.Client({ ...where, user, password: await resolveSecret(password) });
}
