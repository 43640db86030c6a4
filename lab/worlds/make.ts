/** Makes a system in a lab: secrets, a server with a small database full of rows, room for copies. Takes a few seconds. */
import { mkdir, rm } from 'node:fs/promises';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type pg from 'pg';
import { newKeyPair } from '../../src/people/keys.js';
import { resolveSecret } from '../../src/secrets.js';
import { makePrivateFolder } from '../folders.js';
import type { World } from '../keeper.js';
import { REGIONS, type WorldLayout } from '../layout.js';
import type { PartContext } from '../parts/all.js';
import { ensurePart } from '../parts/part.js';
import {
  initCluster,
  makeClusterFolders,
  postgresPart,
  socketClient,
  withClient,
  writeSiteSettings,
} from '../parts/postgres.js';
import { freePorts } from '../ports.js';
import { stopProcess } from '../process.js';
import { newPassword, writeSecret } from '../secrets.js';
import type { LoginState, WorldArchives, WorldBackup, WorldState } from '../state.js';
import type { PlaceName, WorldDefinition } from './definition.js';
import { fill } from './fill.js';
import { type WorldName, worldNamed } from './index.js';
import { worldSiteSettings, writeWorldBackupConfigs } from './physical.js';

const LOCAL = '127.0.0.1';

/**
 * Makes the system, and leaves its primary running. It counts as part of the lab when all of it is there; what an attempt that
 * was cut short has left is removed first.
 */
export async function makeWorld(world: World, context: PartContext, name: WorldName): Promise<void> {
  const definition = worldNamed(name);
  const begun = performance.now();
  const primary = definition.sites[0].name;
  const layout = context.layout.worldOf(
    name,
    definition.sites.map((site) => site.name),
  );
  const left = world.known(`${name}-postgres-${primary}`);
  if (left) await stopProcess(left, 'SIGQUIT');
  await rm(layout.base, { recursive: true, force: true });
  await makeFolders(layout, context);
  const state = await describe(context, definition, layout);
  await startPrimary(world, context, { name, definition, layout, state, primary });
  await world.addWorld(name, state);
  world.log(`${name}: made in ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}

async function makeFolders(layout: WorldLayout, { account }: PartContext): Promise<void> {
  await mkdir(layout.client, { recursive: true, mode: 0o755 });
  for (const cluster of Object.values(layout.sites)) await makeClusterFolders(cluster, account);
  await makePrivateFolder(layout.quarantine, account);
}

async function describe(
  context: PartContext,
  definition: WorldDefinition,
  layout: WorldLayout,
): Promise<WorldState> {
  const { system, rolePrefix, firstHost } = definition;
  // One port for all sites, so that changing the address in DNS moves the database.
  const network = context.state.ledger.sites.west.address.replace(/\.\d+$/, '');
  const addresses = definition.sites.map((_, index) => `${network}.${firstHost + index}`);
  const ports = await freePorts({
    database: { addresses },
    app: { addresses: [LOCAL] },
    client: { addresses: [LOCAL] },
  });
  const login = async (user: string, what: string): Promise<LoginState> => ({
    user,
    password: await writeSecret(context.layout.secrets, `${system}-${what}-password`, newPassword()),
  });
  const site = ({ name }: { readonly name: string }, index: number) => {
    const cluster = layout.sites[name];
    if (cluster === undefined) throw new TypeError(`${system} has no site ${name}`);
    const { data, socket, logFile, backupConfig } = cluster;
    return {
      address: addresses[index] ?? '',
      port: ports.database,
      ...{ dataDir: data, socketDir: socket, logFile, backupConfig },
    };
  };
  return {
    database: definition.database,
    sites: Object.fromEntries(definition.sites.map((each, index) => [each.name, site(each, index)])),
    quarantineDir: layout.quarantine,
    admin: await login('muster', 'admin'),
    app: await login(`${rolePrefix}_app`, 'app'),
    deploy: await login(`${rolePrefix}_deploy`, 'deploy'),
    replication: await login(`${rolePrefix}_replica`, 'replication'),
    dns: { zone: definition.zone, zoneId: '', record: definition.record },
    appUrl: `http://${LOCAL}:${ports.app}`,
    clientUrl: `http://${LOCAL}:${ports.client}`,
    bucket: `${system}-backups`,
    backup: await makeBackup(context, definition, layout),
    ...(definition.dumps === undefined ? {} : { dumps: await makeArchives(context, definition, layout) }),
  };
}

async function makeBackup(
  context: PartContext,
  definition: WorldDefinition,
  layout: WorldLayout,
): Promise<WorldBackup> {
  const { system, backup } = definition;
  if (backup === 'archive') return makeArchives(context, definition, layout);
  for (const region of REGIONS)
    await writeSecret(context.layout.secrets, `${system}-backup-${region}-passphrase`, newPassword());
  return { driver: 'pgbackrest', stanza: system };
}

/** Keys that archives are encrypted for and signed with. */
async function makeArchives(
  { layout: { secrets } }: PartContext,
  { system }: WorldDefinition,
  layout: WorldLayout,
): Promise<WorldArchives> {
  const identity = await generateIdentity();
  const { privateKey, publicKey } = newKeyPair();
  await writeSecret(secrets, `${system}-archive-identity`, identity);
  await writeSecret(secrets, `${system}-archive-signing-key`, privateKey.trimEnd());
  return {
    driver: 'archive',
    folder: layout.archives,
    recipient: await identityToRecipient(identity),
    signer: publicKey,
  };
}

interface Fresh {
  readonly name: WorldName;
  readonly definition: WorldDefinition;
  readonly layout: WorldLayout;
  readonly state: WorldState;
  readonly primary: PlaceName;
}

async function startPrimary(world: World, context: PartContext, fresh: Fresh): Promise<void> {
  const { name, definition, layout, state, primary } = fresh;
  const { programs, account } = context;
  const [cluster, place] = [layout.sites[primary], state.sites[primary]];
  if (cluster === undefined || place === undefined) throw new TypeError(`${name} has no site ${primary}`);
  const physical = definition.backup === 'pgbackrest';
  if (physical) await writeWorldBackupConfigs(context, { layout, state, definition });
  await initCluster(cluster, physical ? 'world-archiving' : 'world', { bin: programs.postgresBin, account });
  await writeSiteSettings(cluster, account, worldSiteSettings(context, state, cluster, place));
  const part = postgresPart({
    name: `${name}-postgres-${primary}`,
    layout: cluster,
    bin: programs.postgresBin,
    account,
    address: place.address,
    port: place.port,
  });
  await ensurePart(part, world);
  await withClient(socketClient(cluster, place.port, 'postgres'), (client) =>
    makeDatabase(client, definition, state),
  );
  await withClient(socketClient(cluster, place.port, definition.database), (client) =>
    fill(client, definition),
  );
}

async function makeDatabase(
  client: pg.Client,
  { rolePrefix, database }: WorldDefinition,
  { admin, app, deploy, replication }: WorldState,
): Promise<void> {
  const password = async ({ password: reference }: LoginState) =>
    `password ${client.escapeLiteral(await resolveSecret(reference))}`;
  await client.query(`
    create role ${rolePrefix}_owner nologin;
    create role ${admin.user} login superuser ${await password(admin)};
    create role ${app.user} login ${await password(app)};
    create role ${deploy.user} login in role ${rolePrefix}_owner ${await password(deploy)};
    create role ${replication.user} login replication ${await password(replication)};
  `);
  await client.query(`create database ${database} owner ${rolePrefix}_owner`);
}
