/**
 * Records what happens in the store, and never lets the store hold a recovery up: what cannot be taken within a moment
 * goes to the spool and follows later, in order.
 */
import type { JournalEntry } from '../../activities/contract.js';
import { MusterError, messageOf, TransientError } from '../errors.js';
import { musterHome, spoolDirectory } from '../home.js';
import { createLog, type Logger } from '../log.js';
import type { RunView } from '../model/run.js';
import type { JournalHead, RunRef } from './chain.js';
import { deliver, type Item } from './deliver.js';
import { journalBody } from './journal.js';
import type { LostRecord } from './lost.js';
import { storeSettings } from './settings.js';
import { Spool } from './spool.js';
import { RECORDING, Store } from './store.js';

export interface RecorderOptions {
  /** undefined: none is configured, everything waits in the spool. */
  readonly store: Store | undefined;
  readonly spool: string;
  /** After a failure the store is left alone for this long, so that not every step pays for it. */
  readonly restMs?: number;
  readonly log?: Logger;
  /**
   * Told the end of a run's chain whenever it grew, for anchoring it outside. It is not waited for and must not throw.
   */
  readonly onHead?: (runId: string, head: JournalHead) => void;
}

export class Recorder {
  private readonly spool: Spool<Item>;
  private readonly log: Logger;
  private readonly turns = new Map<string, Promise<void>>();
  private restUntil = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: RecorderOptions) {
    this.spool = new Spool(options.spool);
    this.log = options.log ?? createLog('store');
  }

  /**
   * Adds entries to a run's journal. They are durable when this returns, in the store or in the spool.
   *
   * @throws TransientError `JournalNotKept` only when neither takes them
   */
  async append(run: RunRef, entries: readonly JournalEntry[]): Promise<void> {
    await this.keep(
      run.runId,
      entries.map((entry) => ({ journal: journalBody(run, entry) })),
    );
  }

  /** Keeps a finished run for history and expectations. */
  async keepRun(view: RunView): Promise<void> {
    await this.keep(view.runId, [{ run: view }]);
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
      if (batch.length > 0) await this.keep(runId, [{ lost: { dataClass, records: batch } }]);
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
    await this.keep(runId, [{ report: { writtenAt, directory } }]);
  }

  /** The store, for reading; undefined where there is none or it has just failed. */
  get reachableStore(): Store | undefined {
    return this.resting() ? undefined : this.options.store;
  }

  /** Sends what waits in the spool, of every run. @returns whether nothing waits any more */
  async replay(): Promise<boolean> {
    let done = true;
    for (const runId of await this.spool.waiting()) {
      await this.inTurn(runId, async () => {
        done = (await this.drain(runId)) && done;
      });
    }
    return done;
  }

  /** Looks whether an earlier process left something behind, and sends it in the background. Called once a process. */
  start(): this {
    this.replayLater(0);
    return this;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await Promise.allSettled(this.turns.values());
    await this.options.store?.close();
  }

  private async keep(runId: string, items: readonly Item[]): Promise<void> {
    if (items.length === 0) return;
    await this.inTurn(runId, async () => {
      // What waits goes first, or the order would be lost.
      if ((await this.drain(runId)) && (await this.tryToSend(runId, items))) return;
      try {
        await this.spool.add(runId, items);
      } catch (error) {
        throw new TransientError(
          'JournalNotKept',
          `Neither the store nor the spool in ${this.options.spool} takes the record of run ${runId}: ${messageOf(error)}.`,
          { next: 'Make room or restore access there; the run tries again by itself.', cause: error },
        );
      }
      this.replayLater();
    });
  }

  /** One at a time a run, in the order asked for. */
  private async inTurn(runId: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.turns.get(runId) ?? Promise.resolve()).then(work, work);
    this.turns.set(runId, turn);
    try {
      await turn;
    } finally {
      if (this.turns.get(runId) === turn) this.turns.delete(runId);
    }
  }

  private async drain(runId: string): Promise<boolean> {
    const empty = await this.spool.isEmpty(runId).catch((error) => {
      // A spool that cannot be read must not keep entries from a store that works.
      this.log.error({ spool: this.options.spool, reason: messageOf(error) }, 'the spool cannot be read');
      return true;
    });
    if (empty) return true;
    if (this.resting()) return false;
    try {
      await this.spool.drain(runId, async (items) => {
        if (!(await this.tryToSend(runId, items))) throw new StillWaiting();
      });
      return true;
    } catch (error) {
      if (!(error instanceof StillWaiting))
        this.log.error({ runId, reason: messageOf(error) }, 'spool unreadable');
      return false;
    }
  }

  private resting(): boolean {
    return Date.now() < this.restUntil;
  }

  private async tryToSend(runId: string, items: readonly Item[]): Promise<boolean> {
    const { store } = this.options;
    if (store === undefined || this.resting()) return false;
    try {
      await deliver(store, runId, items, { log: this.log, onHead: this.options.onHead });
      return true;
    } catch (error) {
      this.restUntil = Date.now() + (this.options.restMs ?? 5_000);
      this.log.warn({ runId, reason: reasonOf(error) }, 'the store takes nothing; it waits in the spool');
      return false;
    }
  }

  private replayLater(afterMs = this.options.restMs ?? 5_000): void {
    if (this.timer !== undefined || this.closed || this.options.store === undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.replay().then(
        (done) => {
          if (!done) this.replayLater();
        },
        (error) => this.log.error({ reason: messageOf(error) }, 'replaying the spool failed'),
      );
    }, afterMs);
    this.timer.unref();
  }
}

/** Muster's own errors already say why in their message. */
function reasonOf(error: unknown): string {
  return error instanceof MusterError ? error.message : messageOf(error);
}

class StillWaiting extends Error {}

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
