import { randomUUID } from 'node:crypto';
import { link, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { PermanentError, TransientError } from '../../src/errors.js';
import type { DatabaseAt, StepRef } from '../contract.js';

const restoredSchema = z.object({
  time: z.string(),
  timeline: z.number().int(),
  /** The backup that the files came from. */
  backupLabel: z.string(),
  repository: z.number().int(),
  restoredBytes: z.number(),
  filesMs: z.number(),
  delta: z.boolean(),
});

const leaseSchema = z.object({
  /** Identifies what was made; a new one each time that a directory is taken. */
  id: z.string(),
  runId: z.string(),
  system: z.string(),
  site: z.string(),
  dataDirectory: z.string(),
  madeAt: z.string(),
  /** How often the run had been taken over from a lost server when it last worked here; older ones are kept away. */
  adoption: z.number().int().optional(),
  /** The attempt that works on the directory now: the newest one. Others have been given up and must leave it alone. */
  holder: z.string().optional(),
  /** The point whose files stand in the directory; absent while none are complete. */
  restored: restoredSchema.optional(),
  /** Loaded from an archive: a cluster of its own, in recovery only once it is closed. */
  logical: z.literal(true).optional(),
});

/** What ties a target to the run that made it. It lies beside the data directory and outlives its content. */
export type Lease = z.output<typeof leaseSchema>;
export type RestoredFiles = z.output<typeof restoredSchema>;

/** Ends the mark of a loaded archive that was put back into recovery: it is in it until it is promoted. */
export const CLOSED = ' closed';

export function leaseFileOf(dataDirectory: string): string {
  return `${dataDirectory}.lease.json`;
}

/** Tablespaces of a target: never where the original has its own. */
export function tablespaceDirectoryOf(dataDirectory: string): string {
  return `${dataDirectory}.tablespaces`;
}

/** WAL that is fetched ahead of replay. */
export function spoolDirectoryOf(dataDirectory: string): string {
  return `${dataDirectory}.spool`;
}

/** The lease of a data directory; undefined: nobody has taken it. @throws PermanentError `LeaseUnreadable` */
export async function readLease(dataDirectory: string): Promise<Lease | undefined> {
  const file = leaseFileOf(dataDirectory);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return leaseSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new PermanentError('LeaseUnreadable', `The lease ${file} cannot be read.`, {
      why: 'Without it nobody can tell whose the directory is, so nothing in it is touched.',
      next: 'Find out which run made the directory; move it away or delete the file, then retry the step.',
      cause: error,
    });
  }
}

/**
 * Takes a data directory for a run. Of several runs that try at once one gets it.
 *
 * @throws PermanentError `TargetLeased` when another run has it
 */
export async function takeLease(at: StepRef, target: DatabaseAt): Promise<Lease> {
  const { dataDirectory } = target.postgres.service;
  const lease: Lease = {
    id: randomUUID(),
    runId: at.runId,
    system: at.system,
    site: target.site,
    dataDirectory,
    madeAt: new Date().toISOString(),
    ...(at.adoption === undefined ? {} : { adoption: at.adoption }),
  };
  // Linked when it is whole: a lease that a crash left half written would keep everybody out.
  const whole = `${leaseFileOf(dataDirectory)}.${lease.id}`;
  try {
    await writeFile(whole, asText(lease), { mode: 0o644, flush: true });
    await link(whole, leaseFileOf(dataDirectory));
    return lease;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(whole, { force: true });
  }
  return requireLease(at, target);
}

/**
 * The lease of this very run on its target. A server that took the run over takes it from the one before it for good.
 *
 * @throws PermanentError `TargetNotProvisioned` when nobody has it, `TargetLeased` when another run has, `RunAdopted`
 */
export async function requireLease(at: StepRef, target: DatabaseAt): Promise<Lease> {
  const { dataDirectory } = target.postgres.service;
  const lease = await readLease(dataDirectory);
  if (lease?.runId === at.runId && lease.dataDirectory === dataDirectory) return takenOver(lease, at);
  if (lease === undefined) {
    throw new PermanentError(
      'TargetNotProvisioned',
      `${dataDirectory} at ${target.site} bears no lease of run ${at.runId}.`,
      {
        why: 'A directory that this run did not make is never written to, started or removed.',
        next: 'Let the step that provisions the target run first, or name a free directory in the runbook.',
      },
    );
  }
  throw new PermanentError(
    'TargetLeased',
    `${dataDirectory} at ${target.site} belongs to run ${lease.runId}, which took it at ${lease.madeAt}.`,
    {
      next: `See whether that run still needs it. If not, move the directory away and delete ${leaseFileOf(dataDirectory)}, then retry the step.`,
      details: { runId: lease.runId, madeAt: lease.madeAt },
    },
  );
}

async function takenOver(lease: Lease, at: StepRef): Promise<Lease> {
  const [held, asks] = [lease.adoption ?? 0, at.adoption ?? 0];
  if (held === asks) return lease;
  if (held < asks) return writeLease({ ...lease, adoption: asks, holder: randomUUID() });
  throw new PermanentError(
    'RunAdopted',
    `Run ${at.runId} was taken over (adoption ${held}) and works on ${lease.dataDirectory}: this server must not act for it any more.`,
    { next: 'Terminate this workflow; watch and decide on the server that goes on with the run.' },
  );
}

/**
 * Takes the directory over from every earlier attempt of this run. Asked by each attempt before it acts on the directory.
 *
 * @throws what `requireLease` throws
 */
export async function holdLease(at: StepRef, target: DatabaseAt): Promise<Lease> {
  return writeLease({ ...(await requireLease(at, target)), holder: randomUUID() });
}

/**
 * Right before each act on the directory: no later attempt has taken it over since, and it was not given up. An attempt that
 * was frozen may wake when its work was done anew, and even promoted.
 *
 * @throws TransientError `AttemptOvertaken`
 */
export async function requireHeld(lease: Lease): Promise<void> {
  const now = await readLease(lease.dataDirectory);
  if (now?.id === lease.id && now.holder === lease.holder) return;
  throw new TransientError(
    'AttemptOvertaken',
    `This attempt no longer works on ${lease.dataDirectory}: ${now === undefined ? 'it was given up' : 'a later one does'}.`,
    { next: 'Nothing has to be done: what it left is taken care of by the later one.' },
  );
}

/** Records which point's files stand in the directory; undefined: none that are complete. */
export async function markRestored(lease: Lease, restored: RestoredFiles | undefined): Promise<Lease> {
  await requireHeld(lease);
  const { restored: _before, ...rest } = lease;
  return writeLease(restored === undefined ? rest : { ...rest, restored });
}

async function writeLease(next: Lease): Promise<Lease> {
  const file = leaseFileOf(next.dataDirectory);
  const handle = await open(`${file}.new`, 'w', 0o644);
  try {
    await handle.writeFile(asText(next));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.new`, file);
  return next;
}

export async function dropLease(dataDirectory: string): Promise<void> {
  await rm(leaseFileOf(dataDirectory), { force: true });
}

function asText(lease: Lease): string {
  return `${JSON.stringify(lease, null, 2)}\n`;
}
