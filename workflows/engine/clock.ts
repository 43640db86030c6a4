import type { ClockView } from '../../src/model/run.js';

export interface Activity {
  /** Some step works. */
  readonly working: boolean;
  /** Something waits for a person. */
  readonly waiting: boolean;
}

/**
 * The clock of a run. It starts at detection, not at start, and keeps people's time apart: while anything works the time
 * is the machine's; only where nothing works and a person is awaited is it the person's.
 */
export class RunClock {
  private workingMs = 0;
  private waitingMs = 0;
  private since: number;
  private now: Activity = { working: false, waiting: false };
  private frozen: { actualMs: number; workingMs: number; waitingMs: number } | undefined;

  /** All times are milliseconds since 1970. */
  constructor(
    private readonly detectedAt: number,
    private readonly startedAt: number,
    private readonly targetMs: number,
  ) {
    this.since = startedAt;
  }

  /** Goes on where a lost server had left it; what has passed since is the machine's time. */
  restore(
    at: number,
    kept: {
      readonly workingMs: number;
      readonly waitingMs: number;
      /** Set once the service was back. */
      readonly actualMs: number | undefined;
    },
  ): void {
    const { workingMs, waitingMs, actualMs } = kept;
    this.workingMs = workingMs;
    this.waitingMs = waitingMs;
    this.since = at;
    if (actualMs !== undefined) this.frozen = { actualMs, workingMs, waitingMs };
  }

  /** Whether the service is back. */
  get stopped(): boolean {
    return this.frozen !== undefined;
  }

  change(at: number, activity: Activity): void {
    this.settle(at);
    this.now = activity;
  }

  /** The service is back: the RTO is measured here. */
  serviceRestored(at: number): void {
    this.settle(at);
    this.frozen ??= {
      actualMs: at - this.detectedAt,
      workingMs: this.workingMs,
      waitingMs: this.waitingMs,
    };
  }

  get deadline(): number {
    return this.detectedAt + this.targetMs;
  }

  view(at: number): ClockView {
    this.settle(at);
    return {
      detectedAt: new Date(this.detectedAt).toISOString(),
      startedAt: new Date(this.startedAt).toISOString(),
      targetMs: this.targetMs,
      deadline: new Date(this.deadline).toISOString(),
      beforeStartMs: this.startedAt - this.detectedAt,
      workingMs: this.frozen?.workingMs ?? this.workingMs,
      waitingMs: this.frozen?.waitingMs ?? this.waitingMs,
      ...(this.frozen === undefined ? {} : { actualMs: this.frozen.actualMs }),
    };
  }

  private settle(at: number): void {
    const passed = Math.max(0, at - this.since);
    // Time in which the engine only turns from one step to the next is the machine's.
    if (this.now.waiting && !this.now.working) this.waitingMs += passed;
    else this.workingMs += passed;
    this.since = at;
  }
}
