/** What `muster serve` runs on this machine, written where other commands find it. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRunning, type ProcessMark } from '../process-mark.js';

export interface EmbeddedState {
  readonly schemaVersion: 1;
  /** `muster serve` itself. */
  readonly serve: ProcessMark;
  /** What it started, to be ended by the next one should it be killed. */
  readonly children: readonly ProcessMark[];
  /** ISO 8601. */
  readonly startedAt: string;
  readonly temporal: {
    readonly address: string;
    readonly httpUrl: string;
    readonly uiUrl: string;
    readonly namespace: string;
  };
  /** References to the keys that payloads are encrypted with. Absent: they are in clear. */
  readonly payloadKeys?: string;
}

/** @param home MUSTER_HOME */
export function embeddedStateFile(home: string): string {
  return join(home, 'embedded.json');
}

/** What the file says, whether it still runs or not; undefined where there is none that can be read. */
export async function lastEmbedded(home: string): Promise<EmbeddedState | undefined> {
  try {
    const state = JSON.parse(
      await readFile(embeddedStateFile(home), 'utf8'),
    ) as Partial<EmbeddedState> | null;
    return state?.schemaVersion === 1 && state.serve !== undefined ? (state as EmbeddedState) : undefined;
  } catch {
    return undefined;
  }
}

/** The embedded server that runs with this home; undefined where none does. */
export async function runningEmbedded(home: string): Promise<EmbeddedState | undefined> {
  const state = await lastEmbedded(home);
  return state !== undefined && isRunning(state.serve) ? state : undefined;
}

/** Replaces the file in one step: a reader sees the old or the new one. */
export async function writeEmbedded(home: string, state: EmbeddedState): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o750 });
  const file = embeddedStateFile(home);
  const next = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(next, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o644 });
  await rename(next, file);
}

export async function forgetEmbedded(home: string): Promise<void> {
  await rm(embeddedStateFile(home), { force: true });
}
