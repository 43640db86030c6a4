/** What `muster lab` does: typed results, and how each reads for people. */
import { breakZone, type ZoneFate, type ZoneLoss } from './break/az-loss.js';
import { type BackupLoss, breakBackups, type Left } from './break/backup-loss.js';
import { type Breach, breakIn } from './break/breach.js';
import { breakTable, type CorruptedTable } from './break/corrupted-table.js';
import { breakCorruption, type Corruption } from './break/corruption.js';
import { breakObjects, type ObjectLoss, type ObjectLossKind } from './break/object-loss.js';
import { breakRegion, type RegionLoss } from './break/regional-loss.js';
import { breakServer, type ServerLoss } from './break/server-loss.js';
import { type Course, type Harm, WORLD_DISASTERS } from './break/worlds.js';
import { downLab } from './down.js';
import { LabError } from './errors.js';
import { defaultLabDir } from './layout.js';
import type { SeedSize } from './payymo/generate.js';
import { labCode } from './people.js';
import { type LabStatus, statusLab } from './status.js';
import { upLab } from './world.js';
import { type SystemName, type WorldName, worldNamed } from './worlds/index.js';

/** Where the lab is and who hears of progress. */
export interface LabCommand {
  /** Absolute; the default lab when left out. */
  readonly dir?: string;
  readonly log?: (line: string) => void;
}

export interface LabUpResult extends LabStatus {
  readonly tookMs: number;
}

export interface LabDownResult {
  readonly dir: string;
  /** Whether there was a lab to take down. */
  readonly found: boolean;
}

export { LEFT } from './break/backup-loss.js';

/** Disasters that the lab can inflict. */
export const DISASTERS = [
  'corruption',
  'az-loss',
  'infrastructure-failure',
  'regional-loss',
  'object-loss',
  'breach',
  'backup-loss',
  'corrupted-table',
] as const;
export type Disaster = (typeof DISASTERS)[number];

/** What may befall a system. */
export function disastersOf(system: SystemName): readonly string[] {
  if (system === 'payymo') return DISASTERS;
  const { sites, releases, providers, files, badImport, intrusion } = worldNamed(system);
  const standby = sites.find(({ name }) => name === 'standby');
  const spared = [
    // One with another provider takes over when the provider is lost, not for a zone.
    ...(standby?.region === sites[0].region ? [] : ['az-loss']),
    ...(providers === undefined ? ['provider-outage'] : []),
    ...(releases === undefined ? ['bad-deployment'] : []),
    ...(files === undefined ? ['object-loss'] : []),
    ...(badImport === undefined ? ['corrupted-table'] : []),
    ...(intrusion === undefined ? ['breach'] : []),
  ];
  return Object.keys(WORLD_DISASTERS).filter((disaster) => !spared.includes(disaster));
}

export { SYSTEMS, type SystemName } from './worlds/index.js';

/** Brings the lab up, or what of it is down. @throws LabError naming the part that failed */
export async function labUp(
  options: LabCommand & {
    readonly systems?: readonly SystemName[];
    readonly size?: Partial<SeedSize>;
    readonly standby?: 'raised' | 'as-is';
  },
): Promise<LabUpResult> {
  const begun = performance.now();
  const dir = options.dir ?? defaultLabDir();
  await upLab({
    dir,
    log: options.log ?? (() => undefined),
    ...(options.systems ? { systems: options.systems } : {}),
    ...(options.size ? { size: options.size } : {}),
    ...(options.standby ? { standby: options.standby } : {}),
  });
  return { ...(await standing(dir)), tookMs: Math.round(performance.now() - begun) };
}

/** What of the lab runs; undefined when there is no lab. */
export async function labStatus(options: LabCommand = {}): Promise<LabStatus | undefined> {
  return statusLab(options.dir ?? defaultLabDir());
}

/** With what somebody of the lab proves who they are now. */
export interface LabProof {
  /** File of the private key. */
  readonly key: string;
  /** What the authenticator shows. */
  readonly totp: string;
}

/** @throws LabError when there is no lab, or it has no such person */
export async function labProof(name: string, options: LabCommand = {}): Promise<LabProof> {
  const status = await labStatus(options);
  const person = status?.state.people[name];
  if (person === undefined) {
    throw new LabError('There is no lab with this person.', 'Bring it up with muster lab up.');
  }
  return { key: person.keyFile, totp: await labCode(person) };
}

/** Ends every process of the lab and removes its folder. */
export async function labDown(options: LabCommand = {}): Promise<LabDownResult> {
  const dir = options.dir ?? defaultLabDir();
  return { dir, found: await downLab(dir, { log: options.log ?? (() => undefined) }) };
}

/** What a disaster did. */
export interface Damage {
  readonly corruption: Corruption;
  readonly 'corrupted-table': CorruptedTable;
  readonly 'az-loss': ZoneLoss;
  readonly 'infrastructure-failure': ServerLoss;
  readonly 'regional-loss': RegionLoss;
  readonly 'object-loss': ObjectLoss;
  readonly breach: Breach;
  readonly 'backup-loss': BackupLoss;
}

/** Inflicts a disaster on a system beside Payymo. @throws LabError when it does not live in the lab, or is spared that one */
export async function labHarm(
  disaster: string,
  system: WorldName,
  options: LabCommand & Course = {},
): Promise<Harm> {
  const { state } = await standing(options.dir ?? defaultLabDir());
  if (!disastersOf(system).includes(disaster)) {
    throw new LabError(
      `${disaster} does not befall ${system}.`,
      `What does: ${disastersOf(system).join(', ')}.`,
    );
  }
  // What leaves nothing but a standby needs one, where there is a place for it: it is raised first.
  const { sites, backup } = worldNamed(system);
  const followed = sites.some(({ name }) => name === 'standby');
  const left = ['az-loss', 'provider-outage', ...(backup === 'pgbackrest' ? ['backup-loss'] : [])];
  const raised = followed && left.includes(disaster);
  const now = raised ? (await labUp({ ...options, standby: 'raised' })).state : state;
  return WORLD_DISASTERS[disaster as keyof typeof WORLD_DISASTERS](now, system, options);
}

/** Inflicts a disaster on Payymo in the lab that is up. @throws LabError when there is none */
export async function labBreak<D extends Disaster>(
  disaster: D,
  options: LabCommand & {
    readonly fate?: ZoneFate;
    readonly objects?: ObjectLossKind;
    readonly left?: Left;
  } = {},
): Promise<Damage[D]> {
  const dir = options.dir ?? defaultLabDir();
  const { state } = await standing(dir);
  if (!state.systems.includes('payymo')) {
    throw new LabError(
      'Payymo does not live in this lab.',
      `Name one that does: ${state.systems.join(', ')}.`,
    );
  }
  const inflict: { readonly [K in Disaster]: () => Promise<Damage[K]> } = {
    corruption: () => breakCorruption(state),
    'corrupted-table': () => breakTable(state),
    'infrastructure-failure': () => breakServer(state),
    'regional-loss': () => breakRegion(state),
    'object-loss': () => breakObjects(state, options.objects),
    breach: () => breakIn(state),
    'az-loss': async () => {
      // A zone is lost while a standby follows in another one: where there is none yet, it is raised first.
      const { state } = await labUp({ ...options, dir, standby: 'raised' });
      return breakZone(state, options.fate);
    },
    'backup-loss': async () => {
      const { left = 'standby' } = options;
      if (left !== 'standby') return breakBackups(state, left);
      const { state: withStandby } = await labUp({ ...options, dir, standby: 'raised' });
      return breakBackups(withStandby, left);
    },
  };
  return inflict[disaster]();
}

async function standing(dir: string): Promise<LabStatus> {
  const status = await statusLab(dir);
  if (status) return status;
  throw new LabError(`There is no lab in ${dir}.`, 'Bring it up with muster lab up.');
}
