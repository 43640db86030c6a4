/** Tells a workflow task that was worked on before it had come: see `asked-too-early`. Pure, but for what it remembers. */

/** What a worker is handed, as the run sees it. */
export interface Handed {
  /** Events in the history so far. */
  readonly length: number;
  /** Bytes of the history at the beginning of the last workflow task; 0 where an old server does not tell it. */
  readonly size: number;
  /** Whether it repeats what was done before. */
  readonly replaying: boolean;
}

/** Between two workflow tasks: the first is completed, the second scheduled and started. */
const EVENTS_OF_TASKS = 3;

export class TaskWatch {
  private seen: Handed = { length: 0, size: 0, replaying: true };
  /** Events that the answer to what was handed last makes at least. */
  private answer = 0;
  /** What was done last came without a workflow task, or with one that began in the moment in which the last one ended. */
  private unsure = false;
  private ahead = false;

  /** A question has come by itself, not beside a workflow task. */
  asked(): void {
    this.ahead ||= this.unsure;
  }

  /** @returns whether what was handed before came without a workflow task: then this one has to be done again */
  wasAhead({ length, size, replaying }: Handed): boolean {
    const grown = length - this.seen.length;
    // Where a task was begun by a worker that died, its size stands in between: then the missing events tell. A task in which
    // nothing came of a decision that was refused leaves none at all.
    const tooShort =
      !this.seen.replaying && this.answer > 0 && grown > 0 && grown < this.answer + EVENTS_OF_TASKS;
    if ((this.ahead && size !== this.seen.size) || tooShort) return true;
    if (grown > 0) {
      this.unsure = !replaying && size !== 0 && size === this.seen.size;
      this.answer = 0;
    }
    this.seen = { length, size, replaying };
    return false;
  }

  /** @param events that the answer to what was handed makes at least */
  answered(events: number): void {
    this.answer += events;
  }
}
