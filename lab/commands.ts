/** What `muster lab` does: typed results, and how each reads for people. */
import { breakCorruption, type Corruption } from './break/corruption.js';
import { downLab } from './down.js';
import { LabError } from './errors.js';
import { defaultLabDir } from './layout.js';
import type { SeedSize } from './payymo/generate.js';
import { type LabStatus, statusLab } from './status.js';
import { upLab } from './world.js';

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

/** Disasters that the lab can inflict. */
export const DISASTERS = ['corruption'] as const;
export type Disaster = (typeof DISASTERS)[number];

/** Brings the lab up, or what of it is down. @throws LabError naming the part that failed */
export async function labUp(
  options: LabCommand & { readonly size?: Partial<SeedSize> },
): Promise<LabUpResult> {
  const begun = performance.now();
  const dir = options.dir ?? defaultLabDir();
  await upLab({
    dir,
    log: options.log ?? (() => undefined),
    ...(options.size ? { size: options.size } : {}),
  });
  return { ...(await standing(dir)), tookMs: Math.round(performance.now() - begun) };
}

/** What of the lab runs; undefined when there is no lab. */
export async function labStatus(options: LabCommand = {}): Promise<LabStatus | undefined> {
  return statusLab(options.dir ?? defaultLabDir());
}

/** Ends every process of the lab and removes its folder. */
export async function labDown(options: LabCommand = {}): Promise<LabDownResult> {
  const dir = options.dir ?? defaultLabDir();
  return { dir, found: await downLab(dir, { log: options.log ?? (() => undefined) }) };
}

/** Inflicts a disaster on the lab that is up. @throws LabError when there is none */
export async function labBreak(_disaster: Disaster, options: LabCommand = {}): Promise<Corruption> {
  const { state } = await standing(options.dir ?? defaultLabDir());
  return breakCorruption(state);
}

async function standing(dir: string): Promise<LabStatus> {
  const status = await statusLab(dir);
  if (status) return status;
  throw new LabError(`There is no lab in ${dir}.`, 'Bring it up with muster lab up.');
}
