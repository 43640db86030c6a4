/** How far the steps that work are. The run's own code does not see what they report: now and then it is asked of Temporal. */
import { ActivityFailure, CancellationScope } from '@temporalio/workflow';
import type { Progress } from '../../src/model/run.js';

export type ProgressByStep = Readonly<Record<string, Progress>>;

interface Seen {
  readonly progress: Progress;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class ProgressWatch {
  private readonly seen = new Map<string, Seen>();
  private asking = false;

  /**
   * @param ask what steps report now, by step
   * @param news called once there is an answer
   */
  constructor(
    private readonly ask: () => Promise<ProgressByStep>,
    private readonly news: () => void,
  ) {}

  /** Asks, beside whatever goes on. Without an answer, past times and budgets tell. */
  look(): void {
    if (this.asking) return;
    this.asking = true;
    // Whoever asks may be over before the answer is there.
    void CancellationScope.nonCancellable(() => this.learn());
  }

  /** What was seen of a step is of no use any more: it begins again. */
  forget(step: string): void {
    this.seen.delete(step);
  }

  /** What is done by a moment to come if all goes on as it was seen to. Only what reports its rate is told. */
  at(nowMs: number): ProgressByStep {
    const found: Record<string, Progress> = {};
    for (const [step, { progress, at }] of this.seen) {
      const { done, total = Number.POSITIVE_INFINITY, ratePerSecond } = progress;
      if (ratePerSecond === undefined) continue;
      found[step] = { ...progress, done: Math.min(total, done + (ratePerSecond * (nowMs - at)) / 1000) };
    }
    return found;
  }

  private async learn(): Promise<void> {
    try {
      const steps = await this.ask();
      const at = Date.now();
      for (const [step, progress] of Object.entries(steps)) this.seen.set(step, { progress, at });
      this.news();
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
    } finally {
      this.asking = false;
    }
  }
}
