/** Sends journal entries to the store beside the work, in order, several at a time. */
import { condition } from '@temporalio/workflow';
import type { JournalEntry } from '../../activities/contract.js';

export class JournalWriter {
  private readonly waiting: JournalEntry[] = [];
  private nextIndex = 1;
  private written = 0;
  private sending = false;

  constructor(private readonly send: (entries: readonly JournalEntry[]) => Promise<void>) {}

  add(entry: Omit<JournalEntry, 'index' | 'at'>): void {
    this.waiting.push({ ...entry, index: this.nextIndex, at: new Date(Date.now()).toISOString() });
    this.nextIndex += 1;
    if (!this.sending) {
      this.sending = true;
      void this.sendAll();
    }
  }

  /** Returns when everything that was added so far is kept durably. */
  async flush(): Promise<void> {
    const upTo = this.nextIndex - 1;
    await condition(() => this.written >= upTo);
  }

  private async sendAll(): Promise<void> {
    // What is added in the same turn goes in one call.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, 200);
      await this.send(batch);
      this.written += batch.length;
    }
    this.sending = false;
  }
}
