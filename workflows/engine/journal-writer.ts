/** Sends journal entries to the store beside the work, in order, several at a time. */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { JournalEntry } from '../../activities/contract.js';
import type { Beside } from './beside.js';

/** Entries that go in one call. */
const MOST = 200;

export class JournalWriter {
  private readonly waiting: JournalEntry[] = [];
  private nextIndex = 1;
  private written = 0;
  private sending = false;
  private flushing = 0;

  constructor(
    private readonly beside: Beside,
    private readonly send: (entries: readonly JournalEntry[]) => Promise<void>,
  ) {}

  add(entry: Omit<JournalEntry, 'index' | 'at'>): void {
    this.waiting.push({ ...entry, index: this.nextIndex, at: new Date(Date.now()).toISOString() });
    this.nextIndex += 1;
    if (this.waiting.length === 1) this.beside.soon(() => this.sendWaiting());
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
      await this.send(batch);
      this.written += batch.length;
      // What came meanwhile waits for the next pause, unless somebody waits for it.
      if (this.flushing === 0 && this.waiting.length > 0) {
        this.beside.soon(() => this.sendWaiting());
        break;
      }
    }
    this.sending = false;
  }
}
