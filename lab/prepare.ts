import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { encryption } from '../src/temporal/codec-converter.js';
import { writeNewKey } from '../src/temporal/codec-keys.js';
import type { Account } from './account.js';
import { LabError } from './errors.js';
import { exists, makeOpenFolder, makePrivateFolder, removeFolder } from './folders.js';
import type { Makeshift } from './interrupt.js';
import { defaultLabDir, type Layout, REGION_OF, type RegionName, SITES, type SiteName } from './layout.js';
import { RECORD, RECORD_TTL, ZONE } from './parts/dns.js';
import type { Programs } from './parts/lookup.js';
import { archiveCommand, cleanConfigOf, STANZA, writeBackupConfig } from './parts/pgbackrest.js';
import { listening, makeClusterFolders, writeSiteSettings } from './parts/postgres.js';
import { BACKUP_BUCKET, FILE_BUCKETS, JOURNAL_BUCKET, REGION_CODES, VAULT_BUCKET } from './parts/s3.js';
import { NAMESPACE } from './parts/temporal.js';
import { filesOf, type SeedSize } from './payymo/generate.js';
import { DATABASE, ROLES } from './payymo/schema.js';
import { type LabPeople, makePeople } from './people.js';
import { freePorts } from './ports.js';
import { newPassword, readSecrets, type SecretName, secretReference, writeSecret } from './secrets.js';
import { type LabState, type LoginState, type RegionState, type SiteState, writeState } from './state.js';
import { plantSeed, type SeedRequest, seedKey } from './template.js';
import { makeCertificates, tlsFiles } from './tls.js';
import type { SystemName } from './worlds/index.js';

/** What a new lab is made of. */
export interface Making {
  readonly systems: readonly SystemName[];
  readonly size: SeedSize;
  readonly paymentsPerSecond: number;
  readonly programs: Programs;
  readonly account: Account;
  readonly makeshift: Makeshift;
  readonly log: (line: string) => void;
}

/** Makes the lab's folder with everything in it that stands before the first process is started, and its state. */
export async function prepareLab(layout: Layout, making: Making): Promise<LabState> {
  await clearFolder(layout);
  const seed: SeedRequest = { ...making, ledger: making.systems.includes('payymo') ? 'with' : 'without' };
  const key = seedKey(seed);
  const network = siteNetwork(layout.dir);
  const [ports] = await Promise.all([
    choosePorts(network),
    makeCertificates(layout.tls, making.programs.openssl),
    plantSeed(layout, key, seed),
  ]);
  const people = await makePeople(layout.secrets);
  const replication = await writeSecret(layout.secrets, 'ledger-replication-password', newPassword());
  const payloads = await makePayloadKey(layout, ports.codec);
  const state = { ...describe(layout, making, key, network, ports, people, replication), ...payloads };
  await makeFolders(layout, making.account);
  const secrets = await readSecrets(layout.secrets);
  const repository = (region: RegionName) => ({
    port: ports[`s3-${region}`],
    accessKeyId: secrets[`s3-${region}-access-key-id`],
    secretAccessKey: secrets[`s3-${region}-secret-access-key`],
    passphrase: secrets[`backup-${region}-passphrase`],
  });
  if (seed.ledger === 'with') {
    for (const site of SITES) {
      await writeBackupConfig({
        cluster: layout.sites[site],
        port: ports.ledger,
        account: making.account,
        caFile: tlsFiles(layout.tls).ca,
        // Where the other region takes over, this one is lost: nothing there may wait for it.
        repositories: {
          ...(REGION_OF[site] === 'west' ? { west: repository('west') } : {}),
          east: repository('east'),
        },
      });
    }
    await writeBackupConfig({
      cluster: layout.sites.recovery,
      file: cleanConfigOf(layout.sites.recovery.backupConfig),
      port: ports.ledger,
      account: making.account,
      caFile: tlsFiles(layout.tls).ca,
      repositories: { east: repository('east') },
    });
    await writeSiteSettings(layout.sites.west, making.account, {
      ...listening(layout.sites.west, state.ledger.sites.west.address, ports.ledger),
      archive_command: archiveCommand(making.programs.pgbackrest, layout.sites.west),
    });
  }
  await writeSiteSettings(layout.store, making.account, listening(layout.store, LOCAL, ports.store));
  await writeState(layout, state);
  return state;
}

/** Removes what an interrupted attempt left; never touches a folder that is not a lab's. */
async function clearFolder(layout: Layout): Promise<void> {
  if ((await exists(layout.dir)) && !(await exists(layout.mark))) {
    throw new LabError(
      `${layout.dir} exists and is not a lab.`,
      'Choose a folder that does not exist yet with MUSTER_LAB.',
    );
  }
  await removeFolder(layout.dir, layout.mark);
  await makeOpenFolder(layout.dir);
  await writeFile(layout.mark, 'A lab of Muster: made by muster lab up, removed by muster lab down.\n');
}

/** `MUSTER_PAYLOAD_ENCRYPTION=off` makes a lab whose histories can be read by anybody, for recording them. */
async function makePayloadKey(layout: Layout, port: number): Promise<Pick<LabState, 'payloads'>> {
  if (encryption(process.env) === 'off') return {};
  const file = join(layout.secrets, 'payload-key');
  await writeNewKey(file);
  return { payloads: { keys: `file:${file}`, codecUrl: `http://${LOCAL}:${port}` } };
}

async function makeFolders(layout: Layout, account: Account): Promise<void> {
  await makeOpenFolder(dirname(layout.sites.west.base));
  for (const folder of [layout.logs, layout.client, layout.worker, layout.runbooks, layout.home])
    await mkdir(folder, { recursive: true });
  if (layout.shortSockets) await makeOpenFolder(layout.shortSockets);
  for (const cluster of [...Object.values(layout.sites), layout.store])
    await makeClusterFolders(cluster, account);
  await makePrivateFolder(layout.quarantine, account);
}

/** Loopback addresses for the sites: the default lab has 127.0.11.x, others differ by their folder. */
function siteNetwork(dir: string): string {
  if (dir === defaultLabDir() && !process.env.MUSTER_LAB) return '127.0.11';
  return `127.0.${12 + ((createHash('sha256').update(dir).digest()[0] ?? 0) % 200)}`;
}

const LOCAL = '127.0.0.1';
/** Not in the seed: it is made together with the first standby. */
const REPLICATION_ROLE = 'ledger_replica';

async function choosePorts(network: string) {
  const local = { addresses: [LOCAL] };
  return freePorts({
    // One port for all sites, so that changing the address in DNS moves the database.
    ledger: { addresses: [1, 2, 3, 4].map((host) => `${network}.${host}`) },
    store: local,
    temporal: local,
    temporalUi: local,
    temporalHttp: local,
    codec: local,
    's3-west': local,
    's3-east': local,
    route53: local,
    dns: { addresses: [LOCAL], udp: 'udp' },
    app: local,
    client: local,
  });
}

type Ports = Awaited<ReturnType<typeof choosePorts>>;

function describe(
  layout: Layout,
  making: Making,
  key: string,
  network: string,
  ports: Ports,
  people: LabPeople,
  replicationPassword: string,
): LabState {
  const secret = (name: SecretName) => secretReference(layout.secrets, name);
  const login = (user: string, name: SecretName): LoginState => ({ user, password: secret(name) });
  const site = (name: SiteName, host: number): SiteState => ({
    address: `${network}.${host}`,
    port: ports.ledger,
    dataDir: layout.sites[name].data,
    socketDir: layout.sites[name].socket,
    logFile: layout.sites[name].logFile,
    backupConfig: layout.sites[name].backupConfig,
  });
  const region = (name: RegionName): RegionState => ({
    region: REGION_CODES[name],
    endpoint: `https://localhost:${ports[`s3-${name}`]}`,
    caFile: tlsFiles(layout.tls).ca,
    backupBucket: BACKUP_BUCKET,
    vaultBucket: VAULT_BUCKET,
    journalBucket: JOURNAL_BUCKET,
    filesBucket: FILE_BUCKETS[name],
    accessKeyId: secret(`s3-${name}-access-key-id`),
    secretAccessKey: secret(`s3-${name}-secret-access-key`),
  });
  return {
    schemaVersion: 4,
    dir: layout.dir,
    created: new Date().toISOString(),
    account: making.account.name,
    postgresBin: making.programs.postgresBin,
    runbooks: layout.runbooks,
    home: process.env.MUSTER_HOME ? resolve(process.env.MUSTER_HOME) : layout.home,
    // The others are added when they are made.
    systems: making.systems.filter((system) => system === 'payymo'),
    worlds: {},
    seed: { ...making.size, files: filesOf(making.size), key },
    temporal: {
      address: `${LOCAL}:${ports.temporal}`,
      httpUrl: `http://${LOCAL}:${ports.temporalHttp}`,
      uiUrl: `http://${LOCAL}:${ports.temporalUi}`,
      namespace: NAMESPACE,
    },
    regions: { west: region('west'), east: region('east') },
    dns: {
      route53Endpoint: `http://${LOCAL}:${ports.route53}`,
      zone: ZONE,
      zoneId: '',
      record: RECORD,
      ttl: RECORD_TTL,
      resolver: `${LOCAL}:${ports.dns}`,
      accessKeyId: secret('route53-access-key-id'),
      secretAccessKey: secret('route53-secret-access-key'),
    },
    ledger: {
      database: DATABASE,
      stanza: STANZA,
      sites: {
        west: site('west', 1),
        recovery: site('recovery', 2),
        standby: site('standby', 3),
        east: site('east', 4),
      },
      quarantineDir: layout.quarantine,
      admin: login(ROLES.admin, 'ledger-admin-password'),
      app: login(ROLES.app, 'ledger-app-password'),
      deploy: login(ROLES.deploy, 'ledger-deploy-password'),
      replication: { user: REPLICATION_ROLE, password: replicationPassword },
      signingKey: secret('signing-key'),
    },
    store: {
      address: LOCAL,
      port: ports.store,
      database: 'muster',
      login: login('muster', 'store-password'),
      url: `postgres://muster@${LOCAL}:${ports.store}/muster`,
    },
    payymo: {
      appUrl: `http://${LOCAL}:${ports.app}`,
      clientUrl: `http://${LOCAL}:${ports.client}`,
      paymentsPerSecond: making.paymentsPerSecond,
    },
    people,
    parts: {},
  };
}
