import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { type LocalLab, labEnvironmentFile } from '../src/lab-environment.js';
import { labEnvironment } from './environment.js';
import { LabError } from './errors.js';
import type { Layout, RegionName, SiteName } from './layout.js';
import type { LabPeople } from './people.js';
import type { ProcessMark } from './process.js';
import type { PlaceName } from './worlds/definition.js';
import type { SystemName, WorldName } from './worlds/index.js';

/** Every process that a lab with Payymo starts. */
export const PART_NAMES = [
  'temporal',
  's3-west',
  's3-east',
  'route53',
  'dns',
  'postgres-west',
  'postgres-standby',
  'postgres-recovery',
  'postgres-east',
  'store',
  'payymo-app',
  'payymo-client',
  'worker',
] as const;
/** Those of Payymo and of what all systems share, then those of the other systems. */
export type PartName =
  | (typeof PART_NAMES)[number]
  | `${WorldName}-${`postgres-${PlaceName}` | 'app' | 'client'}`;

/** A process of the lab as it was started. */
export interface PartState extends ProcessMark {
  /** Where it listens: `host:port` or a URL. */
  readonly address: string;
  readonly logFile: string;
  readonly dataDir?: string;
  readonly startedAt: string;
  /** What ends it at once when the lab is taken down. */
  readonly stopSignal: NodeJS.Signals;
}

/** An object store standing for a region. Secrets are `file:` references. */
export interface RegionState {
  readonly region: string;
  readonly endpoint: string;
  readonly caFile: string;
  readonly backupBucket: string;
  readonly vaultBucket: string;
  readonly journalBucket: string;
  /** Payymo's statements: those in use in the west, their copy in the east. */
  readonly filesBucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A place where the ledger's database can run. Only the primary's site holds a cluster from the start. */
export interface SiteState {
  readonly address: string;
  readonly port: number;
  readonly dataDir: string;
  readonly socketDir: string;
  readonly logFile: string;
  /** pgBackRest's configuration for the cluster at this site. */
  readonly backupConfig: string;
}

/** Archives of a system beside Payymo. */
export interface WorldArchives {
  readonly driver: 'archive';
  /** Where the copies lie that are beside its server. */
  readonly folder: string;
  /** Public key of age. */
  readonly recipient: string;
  /** PEM. */
  readonly signer: string;
}

/** How a system beside Payymo is backed up. */
export type WorldBackup = WorldArchives | { readonly driver: 'pgbackrest'; readonly stanza: string };

/** A system beside Payymo. */
export interface WorldState {
  readonly database: string;
  readonly sites: Readonly<Record<string, SiteState>>;
  readonly quarantineDir: string;
  readonly admin: LoginState;
  readonly app: LoginState;
  readonly deploy: LoginState;
  /** What a standby follows the primary with; the role is there from the beginning. */
  readonly replication: LoginState;
  readonly dns: { readonly zone: string; readonly zoneId: string; readonly record: string };
  readonly appUrl: string;
  readonly clientUrl: string;
  /** Its bucket in each region. */
  readonly bucket: string;
  readonly backup: WorldBackup;
  /** Beside physical backups, where the system has them as well. */
  readonly dumps?: WorldArchives;
}

/** A login: the role and a reference to its password. */
export interface LoginState {
  readonly user: string;
  readonly password: string;
}

/** Everything needed to find and use a lab; written to `state.json`, holds no secret. */
export interface LabState {
  readonly schemaVersion: 4;
  readonly dir: string;
  readonly created: string;
  readonly account: string;
  readonly postgresBin: string;
  /** Where the runbooks with this lab's addresses are. */
  readonly runbooks: string;
  /** Where Muster keeps spool, reports and keys while it works with this lab. */
  readonly home: string;
  /** The systems that live in it. */
  readonly systems: readonly SystemName[];
  readonly worlds: Readonly<Partial<Record<WorldName, WorldState>>>;
  readonly seed: {
    readonly transactions: number;
    readonly sizeBytes: number;
    readonly files: number;
    readonly key: string;
  };
  readonly temporal: {
    readonly address: string;
    readonly httpUrl: string;
    readonly uiUrl: string;
    readonly namespace: string;
  };
  /** How payloads are encrypted, and where the UI has them decrypted. Absent: they are in clear. */
  readonly payloads?: { readonly keys: string; readonly codecUrl: string };
  readonly regions: Readonly<Record<RegionName, RegionState>>;
  readonly dns: {
    readonly route53Endpoint: string;
    readonly zone: string;
    readonly zoneId: string;
    readonly record: string;
    readonly ttl: number;
    /** `address:port` of the server that answers, UDP and TCP. */
    readonly resolver: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly ledger: {
    readonly database: string;
    readonly stanza: string;
    readonly sites: Readonly<Record<SiteName, SiteState>>;
    readonly quarantineDir: string;
    /** May do everything; what Muster uses. */
    readonly admin: LoginState;
    /** What the application may do and no more. */
    readonly app: LoginState;
    /** Deploys changes to the schema as a member of its owner. */
    readonly deploy: LoginState;
    /** What a standby follows the primary with; the role is made when the first standby is. */
    readonly replication: LoginState;
    /** Hexadecimal HMAC-SHA256 key of the transactions' signatures. */
    readonly signingKey: string;
  };
  readonly store: {
    readonly address: string;
    readonly port: number;
    readonly database: string;
    readonly login: LoginState;
    /** Connection URL without a password. */
    readonly url: string;
  };
  readonly payymo: {
    readonly appUrl: string;
    readonly clientUrl: string;
    readonly paymentsPerSecond: number;
  };
  /** Who proves who they are, and with what. */
  readonly people: LabPeople;
  readonly parts: Readonly<Partial<Record<PartName, PartState>>>;
}

/** Reads a lab's state; undefined when there is none. @throws LabError when the file is damaged or of another version. */
export async function readState(layout: Layout): Promise<LabState | undefined> {
  let text: string;
  try {
    text = await readFile(layout.stateFile, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  let state: Partial<LabState> = {};
  try {
    state = JSON.parse(text);
  } catch {
    // Answered below like any other file that is not a lab's state.
  }
  if (state.schemaVersion !== 4 || !state.parts) {
    throw new LabError(
      `${layout.stateFile} is not the state of a lab that this version of Muster made.`,
      'Run muster lab down, then muster lab up.',
    );
  }
  return state as LabState;
}

/** Replaces the state, and what commands know of the lab, each in one step: a reader sees the old or the new one. */
export async function writeState(layout: Layout, state: LabState): Promise<void> {
  await replaceFile(layout.stateFile, state);
  const known: LocalLab = { environment: labEnvironment(state), temporalUi: state.temporal.uiUrl };
  await replaceFile(labEnvironmentFile(layout.dir), known);
}

async function replaceFile(file: string, contents: unknown): Promise<void> {
  const next = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(next, `${JSON.stringify(contents, null, 2)}\n`, { mode: 0o644 });
  await rename(next, file);
}
