/** How commands reach the anchors of a run. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError } from '../errors.js';
import { readPublicKey } from '../evidence/key.js';
import type { StartData } from '../model/journal-data.js';
import { loadSystem, runbookFiles, systemOf } from '../runbook/load.js';
import type { Anchor, Runbook } from '../runbook/schema.js';
import { openAnchorBucket } from '../store/anchor-bucket.js';
import { type AnchoredJournal, readAnchors } from '../store/anchor-journal.js';
import type { JournalBody } from '../store/chain.js';
import type { CliContext } from './context.js';

/** How long a person waits for one object. */
const REQUEST_MS = 10_000;

/** A run in the bucket of its system. */
export interface AnchoredRun {
  readonly runId: string;
  readonly runbook: Runbook;
  readonly anchor: Anchor;
  /** The bucket, in words. */
  readonly title: string;
  readonly journal: AnchoredJournal;
}

/**
 * Reads the anchors of a run.
 *
 * @param name the id of a run, or a system: its newest run
 * @param keyFile PEM file with the public key as it was had from elsewhere
 * @throws InputError when no runbook here names a bucket for it, or the bucket holds nothing of it; what the bucket throws
 */
export async function readAnchoredRun(
  context: CliContext,
  name: string,
  keyFile: string | undefined,
): Promise<AnchoredRun> {
  const { runbook, anchor } = await anchorFor(context, name);
  const trusted = await trustedKey(context, keyFile);
  const bucket = await openAnchorBucket(anchor, REQUEST_MS);
  try {
    const runId = newestOf(await bucket.folders('journal/'), runbook.system, name);
    if (runId === undefined) throw nothingThere(name, bucket.title);
    return {
      runId,
      runbook,
      anchor,
      title: bucket.title,
      journal: await readAnchors(bucket, runId, trusted),
    };
  } finally {
    bucket.close();
  }
}

/**
 * Where a run is anchored: as the runbook of its system says now, else as the run's first entry says.
 * @returns undefined where neither says it
 */
export async function anchorOf(
  context: CliContext,
  runId: string,
  first: JournalBody | undefined,
): Promise<Anchor | undefined> {
  const runbook = await runbookFor(context, first?.system ?? runId).catch(() => undefined);
  return runbook?.anchor ?? (first === undefined ? undefined : anchorIn(first));
}

function anchorIn(first: JournalBody): Anchor | undefined {
  const { input } = first.data === undefined ? { input: undefined } : (first.data as StartData);
  return (input?.runbook as Partial<Runbook> | undefined)?.anchor;
}

/** The anchors of a run whose bucket is known; nothing where it holds none. */
export async function readAnchorsOf(
  context: CliContext,
  anchor: Anchor,
  runId: string,
  keyFile: string | undefined,
): Promise<AnchoredJournal> {
  const trusted = await trustedKey(context, keyFile);
  const bucket = await openAnchorBucket(anchor, REQUEST_MS);
  try {
    return await readAnchors(bucket, runId, trusted);
  } finally {
    bucket.close();
  }
}

async function anchorFor(
  context: CliContext,
  name: string,
): Promise<{ readonly runbook: Runbook; readonly anchor: Anchor }> {
  const runbook = await runbookFor(context, name);
  if (runbook?.anchor !== undefined) return { runbook, anchor: runbook.anchor };
  throw new InputError(`It is not said where the journal of ${name} is anchored.`, [
    {
      field: runbook === undefined ? 'run' : 'anchor',
      given: runbook === undefined ? name : 'nothing',
      allowed:
        runbook === undefined
          ? `a system that has a runbook in ${(await context.runbooks()).dir}, or the id of a run of one`
          : `a section anchor in the runbook of ${runbook.system}`,
    },
  ]);
}

/** Ids of runs begin with their system. What is wrong with the runbooks of others does not matter. */
async function runbookFor(context: CliContext, name: string): Promise<Runbook | undefined> {
  const { dir } = await context.runbooks();
  const [system] = (await runbookFiles(dir))
    .map(systemOf)
    .filter((each) => name === each || name.startsWith(`${each}-`))
    .sort((one, other) => other.length - one.length);
  return system === undefined ? undefined : (await loadSystem(dir, system)).runbook;
}

function newestOf(runIds: readonly string[], system: string, name: string): string | undefined {
  if (name !== system) return runIds.find((runId) => runId === name);
  const moment = (runId: string) => /-(\d{8}-\d{6})-[0-9a-f]+$/.exec(runId)?.[1] ?? '';
  return runIds
    .filter((runId) => runId.startsWith(`${system}-`))
    .sort((one, other) => (moment(one) < moment(other) ? -1 : 1))
    .at(-1);
}

function nothingThere(name: string, title: string): InputError {
  return new InputError(`Nothing of ${name} is anchored.`, [
    { field: 'run', given: name, allowed: `a run whose journal is in the ${title}` },
  ]);
}

async function trustedKey(context: CliContext, keyFile: string | undefined) {
  if (keyFile === undefined) return undefined;
  const path = resolve(context.world.cwd, keyFile);
  const key = readPublicKey(await readFile(path).catch(() => ''));
  if (key !== undefined) return key;
  throw new InputError('The key cannot be used.', [
    { field: '--key', given: keyFile, allowed: 'a file with the Ed25519 public key in PEM' },
  ]);
}
