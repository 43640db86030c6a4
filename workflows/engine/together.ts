/** How the systems of one undertaking stand. */
import { formatClock, formatDuration } from '../../src/model/format.js';
import type {
  RecoverAllInput,
  RecoverAllView,
  RunReport,
  SystemStanding,
  SystemToRecover,
} from '../../src/model/recover-all.js';
import type { RunView } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { heldUpBy, type Ordered } from './order.js';
import { reportOf } from './tell-parent.js';

const OVER: readonly SystemStanding['state'][] = ['recovered', 'aborted', 'failed', 'refused', 'broken-off'];

export class Together {
  /** Something was heard since this was last set to false. */
  changed = false;
  private calledOff = false;
  private endedAt: string | undefined;
  private readonly startedAt = now();
  private readonly standings: Map<string, SystemStanding>;

  constructor(private readonly input: RecoverAllInput<Runbook>) {
    this.standings = new Map(
      input.systems.map(({ system, title, tier, dependsOn, component, targetMs, input: run }) => [
        system,
        {
          ...{ system, title, tier, dependsOn, component, targetMs },
          runId: run.runId,
          workflowId: `${system}.${run.mode}`,
          state: 'pending',
          detectedAt: run.detectedAt,
          works: [],
          waits: [],
          held: false,
        } satisfies SystemStanding,
      ]),
    );
  }

  toRecover(system: string): SystemToRecover<Runbook> {
    return this.input.systems.find((one) => one.system === system) as SystemToRecover<Runbook>;
  }

  workflowIdOf(system: string): string {
    return this.standings.get(system)?.workflowId ?? '';
  }

  begins(system: string): void {
    this.set(system, { state: 'running', begunAt: now() });
  }

  refused(system: string, because: string): void {
    this.set(system, { state: 'refused', because, endedAt: now() });
  }

  brokenOff(system: string, because: string): void {
    this.set(system, { state: 'broken-off', because, works: [], waits: [], endedAt: now() });
  }

  heard({ runId, status, works, waits, held, backAfterMs }: RunReport): void {
    const found = [...this.standings.values()].find((one) => one.runId === runId);
    // What is over stays so: its last word may arrive after its result.
    if (found === undefined || OVER.includes(found.state)) return;
    const state = OVER.includes(status) ? found.state : status;
    const back = backAfterMs === undefined ? {} : { backAfterMs };
    this.set(found.system, { state, works, waits, held, ...back });
  }

  ended(system: string, view: RunView): void {
    const { held, backAfterMs } = reportOf(view);
    const back = backAfterMs === undefined ? {} : { backAfterMs };
    const endedAt = view.endedAt ?? now();
    this.set(system, { state: view.status, works: [], waits: [], held, endedAt, ...back });
  }

  callOff(): void {
    this.calledOff = true;
    this.changed = true;
  }

  /** Every system is over; or nothing more is begun, and nothing needs watching for that. */
  get over(): boolean {
    return [...this.standings.values()].every(
      ({ state }) => OVER.includes(state) || (this.calledOff && state === 'pending'),
    );
  }

  ordered(): readonly Ordered[] {
    return [...this.standings.values()].map(({ system, tier, dependsOn, state, backAfterMs }) => ({
      ...{ system, tier, dependsOn, state },
      back: backAfterMs !== undefined,
    }));
  }

  end(): RecoverAllView {
    this.endedAt = now();
    return this.view();
  }

  view(): RecoverAllView {
    const { id, scenario, mode, requestedBy, atOnce } = this.input;
    const ordered = this.ordered();
    return {
      ...{ id, scenario, mode, requestedBy, atOnce },
      startedAt: this.startedAt,
      asOf: now(),
      ...(this.endedAt === undefined ? {} : { endedAt: this.endedAt }),
      calledOff: this.calledOff,
      systems: [...this.standings.values()].map((one) =>
        one.state === 'pending' ? { ...one, because: this.whyPending(one.system, ordered) } : one,
      ),
    };
  }

  /** For the Temporal UI. */
  describe(): string {
    const { scenario, systems, asOf, atOnce } = this.view();
    const rows = systems.map(
      ({ system, tier, state, works, waits, because, detectedAt, targetMs, backAfterMs }) => {
        const clock = formatClock(backAfterMs ?? Date.parse(asOf) - Date.parse(detectedAt));
        const what = because ?? [...waits.map(({ on, whom }) => `**${on}: ${whom}**`), ...works].join(', ');
        return `| ${system} | ${tier} | ${state} | ${clock} of ${formatDuration(targetMs)} | ${what} |`;
      },
    );
    return [
      `**${scenario} of ${systems.length} systems, ${atOnce} at once**`,
      '',
      '| system | tier | state | clock | |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  }

  private whyPending(system: string, ordered: readonly Ordered[]): string {
    if (this.calledOff) return 'called off: it is not begun';
    const own = ordered.find((one) => one.system === system);
    const before = own === undefined ? [] : heldUpBy(own, ordered);
    return before.length > 0 ? `after ${before.join(', ')}` : `waits for room: ${this.input.atOnce} at once`;
  }

  private set(system: string, change: Partial<SystemStanding>): void {
    const before = this.standings.get(system);
    if (before === undefined) return;
    this.standings.set(system, { ...before, ...change });
    this.changed = true;
  }
}

function now(): string {
  return new Date(Date.now()).toISOString();
}
