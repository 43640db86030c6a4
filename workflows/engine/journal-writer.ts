/** Sends journal entries to the store beside the work, in order, several at a time. */
import { CancellationScope, condition } from '@temporalio/workflow';
import type { JournalEntry } from '../../activities/contract.js';

/** What is added within this time goes in one call: every call costs the run a turn. */
const GATHER_MS = 250;

export class JournalWriter {
  private readonly waiting: JournalEntry[] = [];
  private nextIndex = 1;
  private written = 0;
  private sending = false;
  private flushing = 0;

  constructor(private readonly send: (entries: readonly JournalEntry[]) => Promise<void>) {}

  add(entry: Omit<JournalEntry, 'index' | 'at'>): void {
    this.waiting.push({ ...entry, index: this.nextIndex, at: new Date(Date.now()).toISOString() });
    this.nextIndex += 1;
    if (!this.sending) {
      this.sending = true;
      // Whoever adds an entry may be cancelled; the entry is kept all the same.
      void CancellationScope.nonCancellable(() => this.sendAll());
    }
  }

  /** Returns when everything that was added so far is kept durably. */
  async flush(): Promise<void> {
    const upTo = this.nextIndex - 1;
    this.flushing += 1;
    await condition(() => this.written >= upTo);
    this.flushing -= 1;
  }

  private async sendAll(): Promise<void> {
    while (this.waiting.length > 0) {
      await condition(() => this.flushing > 0, GATHER_MS, { summary: 'journal: gather entries' });
      const batch = this.waiting.splice(0, 200);
      await this.send(batch);
      this.written += batch.length;
    }
    this.sending = false;
  }
}
