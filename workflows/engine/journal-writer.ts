/** Sends journal entries to the store beside the work, in order, several at a time. */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { JournalEntry } from '../../activities/contract.js';
import { BEFORE_THE_FIRST } from '../../src/store/journal-body.js';
import type { Beside } from './beside.js';

/** Entries that go in one call. */
const MOST = 200;
/** What people have said does not wait for the next pause: should the server be lost, it must stand elsewhere. */
const URGENT: readonly JournalEntry['kind'][] = ['decision', 'held', 'resumed', 'handed-over'];

/** The end of a run's journal: how many entries there are, and the hash of the last one. */
export interface JournalEnd {
  readonly entries: number;
  readonly hash: string;
}

export class JournalWriter {
  private readonly waiting: JournalEntry[] = [];
  private nextIndex: number;
  private written: number;
  private head: string;
  private sending = false;
  private flushing = 0;
  private urgent = false;

  /**
   * @param send takes some entries, and the hash of the one before the first of them; answers with that of the last one
   * @param end where the journal goes on
   */
  constructor(
    private readonly beside: Beside,
    private readonly send: (entries: readonly JournalEntry[], after: string) => Promise<string>,
    end: JournalEnd = { entries: 0, hash: BEFORE_THE_FIRST },
  ) {
    this.nextIndex = end.entries + 1;
    this.written = end.entries;
    this.head = end.hash;
  }

  add(entry: Omit<JournalEntry, 'index' | 'at'>): void {
    const whole = { ...entry, index: this.nextIndex, at: new Date(Date.now()).toISOString() };
    // As it is now, and as it will be read: what it refers to may change before it is sent.
    this.waiting.push(JSON.parse(JSON.stringify(whole)));
    this.nextIndex += 1;
    if (URGENT.includes(entry.kind)) this.sendAtOnce();
    else if (this.waiting.length === 1) this.beside.soon(() => this.sendWaiting());
  }

  private sendAtOnce(): void {
    if (this.urgent) return;
    this.urgent = true;
    // With what follows from it in the same breath.
    void Promise.resolve().then(() => this.sendWaiting());
  }

  /**
   * Returns when everything that was added so far is kept durably.
   *
   * @param patienceMs how long that is waited for; for ever where left out
   * @returns whether it is
   */
  async flush(patienceMs?: number): Promise<boolean> {
    const upTo = this.nextIndex - 1;
    const written = () => this.written >= upTo;
    this.flushing += 1;
    this.sendWaiting();
    if (patienceMs === undefined) await condition(written);
    else await condition(written, patienceMs, { summary: 'journal: intent before the act' });
    this.flushing -= 1;
    return written();
  }

  private sendWaiting(): void {
    if (this.sending) return;
    this.sending = true;
    // Whoever asks may be cancelled; the entries are kept all the same.
    void CancellationScope.nonCancellable(() => this.sendAll());
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, MOST);
      this.urgent = false;
      // The hash as history holds it, of what was sent: a replay may see an entry a moment later than it was made, where Temporal
      // had given its workflow tasks one after the other without anything to do.
      this.head = await this.send(batch, this.head);
      this.written += batch.length;
      // What came meanwhile waits for the next pause, unless somebody waits for it.
      if (this.flushing === 0 && !this.urgent && this.waiting.length > 0) {
        this.beside.soon(() => this.sendWaiting());
        break;
      }
    }
    this.sending = false;
  }
}
