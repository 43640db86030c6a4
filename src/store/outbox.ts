/**
 * Sends things somewhere that may not answer, and never lets that hold a recovery up: what is not taken within a moment goes
 * to a spool on this machine and follows later, in order.
 */
import { MusterError, messageOf, TransientError } from '../errors.js';
import type { Logger } from '../log.js';
import { Spool } from './spool.js';

export interface OutboxOptions<Item> {
  /** Where things go, in words: `the store`. */
  readonly name: string;
  /** undefined: nowhere; everything waits in the spool. */
  readonly send: ((runId: string, items: readonly Item[]) => Promise<void>) | undefined;
  /** Which receiver an item is for, where there are several: one that fails holds up no other. */
  readonly laneOf?: (item: Item) => string;
  /** Folder of the spool. */
  readonly spool: string;
  /** After a failure the receiver is left alone for this long, so that not every step pays for it. */
  readonly restMs: number;
  readonly log: Logger;
}

const ONLY_LANE = '';

export class Outbox<Item> {
  private readonly spool: Spool<Item>;
  private readonly turns = new Map<string, Promise<void>>();
  private readonly restUntil = new Map<string, number>();
  private readonly replaying = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: OutboxOptions<Item>) {
    this.spool = new Spool(options.spool);
  }

  /**
   * Sends items behind those of the same run. They are durable when this returns: there, or in the spool.
   *
   * @throws TransientError `JournalNotKept` only when neither takes them
   */
  async keep(runId: string, items: readonly Item[]): Promise<void> {
    if (items.length === 0) return;
    // Nobody waits for a backlog to be worked off: the spool takes more behind it.
    if (this.replaying.has(runId)) return this.addToSpool(runId, items);
    await this.inTurn(runId, async () => {
      // What waits goes first, or the order would be lost.
      if (!this.resting(items) && (await this.drain(runId)) && (await this.tryToSend(runId, items))) return;
      await this.addToSpool(runId, items);
    });
  }

  /** Sends what waits in the spool, of every run. @returns whether nothing waits any more */
  async replay(): Promise<boolean> {
    let done = true;
    for (const runId of await this.spool.waiting()) {
      await this.inTurn(runId, async () => {
        this.replaying.add(runId);
        done = (await this.drain(runId).finally(() => this.replaying.delete(runId))) && done;
      });
    }
    return done;
  }

  /** Looks whether an earlier process left something behind, and sends it in the background. */
  start(): void {
    this.replayLater(0);
  }

  /** Whether the receiver has just failed and is left alone. */
  resting(items: readonly Item[] = []): boolean {
    return Date.now() < (this.restUntil.get(this.laneOf(items)) ?? 0);
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await Promise.allSettled(this.turns.values());
  }

  private async addToSpool(runId: string, items: readonly Item[]): Promise<void> {
    const { name, spool } = this.options;
    try {
      await this.spool.add(runId, items);
    } catch (error) {
      throw new TransientError(
        'JournalNotKept',
        `Neither ${name} nor the spool in ${spool} takes the record of run ${runId}: ${messageOf(error)}.`,
        { next: 'Make room or restore access there; the run tries again by itself.', cause: error },
      );
    }
    this.replayLater();
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
      // A spool that cannot be read must not keep anything from a receiver that works.
      this.options.log.error(
        { spool: this.options.spool, reason: messageOf(error) },
        'the spool cannot be read',
      );
      return true;
    });
    if (empty) return true;
    if (this.options.send === undefined) return false;
    try {
      await this.spool.drain(runId, async (items) => {
        if (!(await this.tryToSend(runId, items))) throw new StillWaiting();
      });
      return true;
    } catch (error) {
      if (!(error instanceof StillWaiting))
        this.options.log.error({ runId, reason: messageOf(error) }, 'spool unreadable');
      return false;
    }
  }

  private async tryToSend(runId: string, items: readonly Item[]): Promise<boolean> {
    const { send, name, log, restMs } = this.options;
    if (send === undefined || this.resting(items)) return false;
    try {
      await send(runId, items);
      return true;
    } catch (error) {
      this.restUntil.set(this.laneOf(items), Date.now() + restMs);
      log.warn({ runId, reason: reasonOf(error) }, `${name} takes nothing; it waits in the spool`);
      return false;
    }
  }

  private laneOf([first]: readonly Item[]): string {
    return first === undefined ? ONLY_LANE : (this.options.laneOf?.(first) ?? ONLY_LANE);
  }

  private replayLater(afterMs = this.options.restMs): void {
    if (this.timer !== undefined || this.closed || this.options.send === undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.replay().then(
        (done) => {
          if (!done) this.replayLater();
        },
        (error) => this.options.log.error({ reason: messageOf(error) }, 'replaying the spool failed'),
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
