/** Who commands a run, whether it is held, and who went on with less than the runbook demands. */
import type { HoldView, OverrideView } from '../../src/model/run.js';
import type { Chronicle } from './chronicle.js';

export class Command {
  hold: HoldView | undefined;
  readonly overrides: OverrideView[] = [];
  /** Names of the proofs that counted: none counts twice. */
  readonly usedProofs = new Set<string>();

  constructor(
    public commander: string,
    private readonly chronicle: Chronicle,
  ) {}

  /** From here on nothing new begins until somebody resumes; what works goes on, and so does the clock. */
  holdBy(by: string, reason: string): void {
    this.hold = { by, reason, since: new Date(Date.now()).toISOString() };
    this.chronicle.record('held', reason, { by, data: { hold: this.hold } });
  }

  resume(by: string): void {
    this.hold = undefined;
    this.chronicle.record('resumed', 'whatever is ready begins', { by });
  }

  handOver(by: string, to: string): void {
    this.commander = to;
    this.chronicle.record('handed-over', `${to} commands from now on`, { by, data: { commander: to } });
  }

  /** Somebody went on with less than the runbook demands. */
  override(said: Omit<OverrideView, 'at'>): void {
    const { on, by, without, reason } = said;
    const override = { ...said, at: new Date(Date.now()).toISOString() };
    this.overrides.push(override);
    this.chronicle.warn(
      `${on} was overridden by ${by.join(' and ')}, without ${without}: ${reason}`,
      undefined,
      { override },
    );
  }
}
