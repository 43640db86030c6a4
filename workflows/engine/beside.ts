/**
 * What may wait a moment is done together, because everything that a run does by itself costs its steps a turn: journal
 * entries are gathered, search attributes and current details follow, and only steps that last get budget timers.
 */
import { CancellationScope, sleep } from '@temporalio/workflow';

/** How long it may wait: well below the second within which people and searches see what a run does. */
export const PAUSE_MS = 300;

export class Beside {
  private readonly tasks = new Set<() => void>();
  private pausing = false;

  /**
   * Does the task at the next pause, together with all others.
   * @returns a function that calls it off
   */
  soon(task: () => void): () => void {
    this.tasks.add(task);
    // Whoever asks may be cancelled; what others asked for is done all the same.
    if (!this.pausing) void CancellationScope.nonCancellable(() => this.pause());
    return () => void this.tasks.delete(task);
  }

  private async pause(): Promise<void> {
    this.pausing = true;
    await sleep(PAUSE_MS, { summary: 'gather: journal, search attributes, budgets' });
    this.pausing = false;
    const due = [...this.tasks];
    this.tasks.clear();
    for (const task of due) task();
  }
}
