/**
 * Records what happens: in the store, and the journal a second time in the bucket that its end is anchored in. Neither of
 * them ever holds a recovery up: what cannot be taken within a moment goes to a spool and follows later, in order.
 */
import type { JournalEntry } from '../../activities/contract.js';
import { musterHome, spoolDirectory } from '../home.js';
import { createLog, type Logger } from '../log.js';
import type { RunView } from '../model/run.js';
import { type AnchorPlace, Anchors } from './anchors.js';
import type { RunRef } from './chain.js';
import { deliver, type Item } from './deliver.js';
import { journalBody } from './journal.js';
import type { LostRecord } from './lost.js';
import { Outbox } from './outbox.js';
import { storeSettings } from './settings.js';
import { RECORDING, Store } from './store.js';

export interface RecorderOptions {
  /** undefined: none is configured, everything waits in the spool. */
  readonly store: Store | undefined;
  readonly spool: string;
  /** After a failure store or bucket is left alone for this long, so that not every step pays for it. */
  readonly restMs?: number;
  /** Says which key signs the anchors; that of the process where left out. */
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: Logger;
}

const REST_MS = 5_000;

export class Recorder {
  private readonly outbox: Outbox<Item>;
  private readonly anchors: Anchors;

  constructor(private readonly options: RecorderOptions) {
    const { store, spool, restMs = REST_MS, env } = options;
    const log = options.log ?? createLog('store');
    this.outbox = new Outbox<Item>({
      name: 'the store',
      spool,
      restMs,
      log,
      send: store === undefined ? undefined : (runId, items) => deliver(store, runId, items, log),
    });
    this.anchors = new Anchors({ spool: anchorSpool(spool), restMs, env, log });
  }

  /**
   * Adds entries to a run's journal, and to what is anchored of it. They are durable when this returns: in the store or in
   * its spool, and in the bucket or in its spool.
   *
   * @param place where it is anchored; left out, the store alone keeps it
   * @throws TransientError `JournalNotKept` only when neither takes them
   */
  async append(run: RunRef, entries: readonly JournalEntry[], place?: AnchorPlace): Promise<void> {
    const bodies = entries.map((entry) => journalBody(run, entry));
    await Promise.all([
      this.outbox.keep(
        run.runId,
        bodies.map((journal) => ({ journal })),
      ),
      ...(place === undefined ? [] : [this.anchors.keep(place, bodies)]),
    ]);
  }

  /** Keeps a finished run for history and expectations. */
  async keepRun(view: RunView): Promise<void> {
    await this.outbox.keep(view.runId, [{ run: view }]);
  }

  /**
   * Keeps the records that a run lost in a data class, a batch at a time; kept again, nothing changes.
   * @returns how many there were
   */
  async keepLost(
    runId: string,
    dataClass: string,
    records: AsyncIterable<LostRecord> | Iterable<LostRecord>,
  ): Promise<number> {
    let count = 0;
    let batch: LostRecord[] = [];
    const send = async () => {
      if (batch.length > 0) await this.outbox.keep(runId, [{ lost: { dataClass, records: batch } }]);
      batch = [];
    };
    for await (const record of records) {
      batch.push(record);
      count += 1;
      if (batch.length === 500) await send();
    }
    await send();
    return count;
  }

  /** Keeps a report whose files are written. */
  async keepReport(runId: string, writtenAt: string, directory: string): Promise<void> {
    await this.outbox.keep(runId, [{ report: { writtenAt, directory } }]);
  }

  /** The store, for reading; undefined where there is none or it has just failed. */
  get reachableStore(): Store | undefined {
    return this.outbox.resting() ? undefined : this.options.store;
  }

  /** Sends what waits for the store, of every run. @returns whether nothing waits any more */
  replay(): Promise<boolean> {
    return this.outbox.replay();
  }

  /** Sends what waits for the bucket, of every run. @returns whether nothing waits any more */
  replayAnchors(): Promise<boolean> {
    return this.anchors.replay();
  }

  /** Looks whether an earlier process left something behind, and sends it in the background. Called once a process. */
  start(): this {
    this.outbox.start();
    this.anchors.start();
    return this;
  }

  async close(): Promise<void> {
    await Promise.all([this.outbox.close(), this.anchors.close()]);
    await this.options.store?.close();
  }
}

/** What is not yet in the bucket waits beside what is not yet in the store. */
export function anchorSpool(spool: string): string {
  return `${spool}-anchors`;
}

let shared: Recorder | undefined;

/**
 * The recorder of this process, as MUSTER_STORE_URL, MUSTER_STORE_PASSWORD and MUSTER_HOME say. Made at first use, which
 * also sends what an earlier process left in the spool.
 *
 * @throws InputError for settings that say nothing sensible
 */
export function recorder(): Recorder {
  if (shared === undefined) {
    const settings = storeSettings();
    const store = settings === undefined ? undefined : new Store(settings, RECORDING);
    const spool = spoolDirectory(musterHome());
    shared = new Recorder({ store, spool }).start();
    if (store === undefined)
      createLog('store').warn({ spool }, 'MUSTER_STORE_URL names no store: all is spooled');
  }
  return shared;
}

/** Ends the recorder of this process: what is under way is finished, connections are closed. */
export async function closeRecorder(): Promise<void> {
  const ending = shared;
  shared = undefined;
  await ending?.close();
}

/**
 * Keeps the records that a run lost in a data class: see `Recorder.keepLost`.
 * @throws TransientError `JournalNotKept` only when neither store nor spool takes them
 */
export function keepLost(
  runId: string,
  dataClass: string,
  records: AsyncIterable<LostRecord> | Iterable<LostRecord>,
): Promise<number> {
  return recorder().keepLost(runId, dataClass, records);
}
