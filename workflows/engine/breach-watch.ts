/** Says before it happens that an RTO will be missed, by how much, and because of which step: once each time it turns out so. */
import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import { formatDuration, formatTimeOfDay } from '../../src/model/format.js';
import type { RunView } from '../../src/model/run.js';
import { forecast } from './forecast.js';
import { type Compose, clockFacts, commanders, draft, matters, watch } from './notice-parts.js';
import type { ProgressByStep } from './progress-watch.js';

export interface Breach {
  readonly component: string;
  readonly targetMs: number;
  readonly byMs: number;
  /** The gate or step that causes it. */
  readonly because?: string;
  /** `may`: only if steps that no past run tells of take their whole budgets. */
  readonly certainty: 'may' | 'will';
  /** Milliseconds since 1970. */
  readonly backAt: number;
}

/** The timer is as exact as this. */
const EXACT_MS = 1_000;

/**
 * The RTOs that will be missed if nothing changes until `nowMs`, and nothing goes faster then; the run's own first. Pure.
 * @param progress of the running steps at `nowMs`
 */
export function breachesOf(view: RunView, nowMs: number, progress: ProgressByStep = {}): Breach[] {
  if (view.clock.actualMs !== undefined || view.endedAt !== undefined || view.status === 'undoing') return [];
  const ahead = forecast(view, progress, nowMs);
  const boundedMs = ahead.byBudget.reduce((sum, name) => sum + (ahead.remaining[name]?.medianMs ?? 0), 0);
  const [open] = view.status === 'waiting' ? view.openDecisions : [];
  const because = open === undefined ? ahead.because : (open.gate ?? open.step);
  const objectives = [
    { component: view.component, targetMs: view.clock.targetMs, ahead },
    ...view.components
      .filter(({ name, actualMs }) => name !== view.component && actualMs === undefined)
      .map(({ name, targetMs }) => ({ component: name, targetMs, ahead: ahead.components[name] })),
  ];
  return objectives.flatMap(({ component, targetMs, ahead: one }): Breach[] => {
    if (one?.breachMs === undefined) return [];
    return [
      {
        component,
        targetMs,
        byMs: one.breachMs,
        ...(because === undefined ? {} : { because }),
        certainty: one.breachMs > boundedMs ? 'will' : 'may',
        backAt: one.medianDoneAt,
      },
    ];
  });
}

/** `database will miss its RTO of 6 h by 11 min, because of restore` */
export function breachInWords({ component, targetMs, byMs, because, certainty }: Breach): string {
  const bounded = certainty === 'may' ? ' if steps take their whole budgets' : '';
  const cause = because === undefined ? '' : `, because of ${because}`;
  return `${component} ${certainty} miss its RTO of ${formatDuration(targetMs)} by ${formatDuration(byMs)}${bounded}${cause}`;
}

export function forecastBreach(breach: Breach): Compose {
  return (of) => ({
    ...draft(of.view, 'forecast-breach', matters.time, breach.certainty === 'will' ? 'critical' : 'warning'),
    ...(of.view.steps.some(({ name }) => name === breach.because) ? { step: breach.because as string } : {}),
    title: `${breachInWords(breach)}.`,
    text: `The service is expected back at ${formatTimeOfDay(new Date(breach.backAt).toISOString())}, people's time not counted.`,
    facts: clockFacts(of.view),
    actions: [watch(of.view)],
    to: commanders(of),
  });
}

/** Keeps in mind what was said: a component is named again only once its RTO was safe between, or `may` has become `will`. */
export class BreachWatch {
  private readonly said = new Map<string, Breach['certainty']>();
  private timer: { readonly at: number; readonly scope: CancellationScope } | undefined;

  /**
   * @param progress of the running steps at a moment to come
   * @param say is told of each breach once, before it happens
   */
  constructor(
    private readonly view: () => RunView,
    private readonly progress: (nowMs: number) => ProgressByStep,
    private readonly say: (breach: Breach) => void,
  ) {}

  /** To be called whenever the run has changed. Between changes a timer looks when one would come about by itself. */
  look(): void {
    const view = this.view();
    const now = Date.now();
    const breaches = breachesOf(view, now, this.progress(now));
    for (const component of this.said.keys()) {
      if (!breaches.some((breach) => breach.component === component)) this.said.delete(component);
    }
    const news = breaches.filter((breach) => this.isNews(breach));
    // Saying it may lead here again: by then it is known to be said.
    for (const { component, certainty } of news) this.said.set(component, certainty);
    this.arm(view, now);
    for (const breach of news) this.say(breach);
  }

  /** To be called once the service is back or the run is over. */
  stop(): void {
    this.timer?.scope.cancel();
    this.timer = undefined;
  }

  private isNews({ component, certainty }: Breach): boolean {
    const said = this.said.get(component);
    return said === undefined || (said === 'may' && certainty === 'will');
  }

  private newsAt(view: RunView, at: number): boolean {
    return breachesOf(view, at, this.progress(at)).some((breach) => this.isNews(breach));
  }

  private arm(view: RunView, now: number): void {
    const until =
      Math.max(...[view.clock, ...view.components].map(({ targetMs }) => targetMs)) +
      Date.parse(view.clock.detectedAt);
    if (until <= now || !this.newsAt(view, until)) {
      this.stop();
      return;
    }
    // A timer that comes too early only looks again: as long as nothing comes sooner it stays.
    if (this.timer !== undefined && !this.newsAt(view, this.timer.at - EXACT_MS)) return;
    let [early, late] = [now, until];
    while (late - early > EXACT_MS) {
      const middle = Math.round((early + late) / 2);
      if (this.newsAt(view, middle)) late = middle;
      else early = middle;
    }
    this.stop();
    this.wait(late, late - now);
  }

  private wait(at: number, ms: number): void {
    // Whoever has changed the run may be cancelled; the watch goes on.
    const waiting = CancellationScope.nonCancellable(async () => {
      const scope = new CancellationScope();
      this.timer = { at, scope };
      await scope.run(() =>
        sleep(Math.max(1, ms), { summary: 'forecast: the RTO would be missed from here on' }),
      );
      this.timer = undefined;
      this.look();
    });
    waiting.catch((error: unknown) => {
      if (!isCancellation(error)) throw error;
    });
  }
}
