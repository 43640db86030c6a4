/**
 * When the service will be back, and whether the RTO will be met: the critical path over what is still to come, with the
 * times of past runs where there are any, budgets where there are none, corrected by the progress of what works now.
 * Pure: the same view, progress and moment give the same answer, so workflows and clients may both use it.
 */
import type { Progress, RunView, StepView } from '../../src/model/run.js';
import { criticalPath } from './critical-path.js';

/** A time to come, as the median of past runs has it and as one in ten was worse. Milliseconds. */
export interface Ahead {
  readonly medianMs: number;
  readonly worstMs: number;
}

export interface ComponentForecast {
  /** Milliseconds since 1970. */
  readonly medianDoneAt: number;
  readonly worstDoneAt: number;
  /** By how much its RTO will be missed; absent where it is met. */
  readonly breachMs?: number;
  readonly worstBreachMs?: number;
}

/** The service as a whole is held against the RTO of the run. */
export interface Forecast extends ComponentForecast {
  /** The step that causes the breach, be it the median's or the worst; absent where none does. */
  readonly because?: string;
  /** Steps that still decide when the service is back, first to last. */
  readonly path: readonly string[];
  /** What each step still takes; 0 for what is over. */
  readonly remaining: Readonly<Record<string, Ahead>>;
  /** When each step will be over, in milliseconds from `nowMs`, by the median. */
  readonly finishMs: Readonly<Record<string, number>>;
  /** When the last step will be over, by the median. */
  readonly runOverAt: number;
  /** Steps on the path whose time is their budget, because no past run tells it: then this is a bound, no estimate. */
  readonly byBudget: readonly string[];
  /** Steps before the service is back that wait for a person whose time is not counted: no past run tells it. */
  readonly uncountedPeople: readonly string[];
  readonly components: Readonly<Record<string, ComponentForecast>>;
}

/**
 * @param view the run as it says of itself
 * @param progressByStep what the running steps report
 * @param nowMs milliseconds since 1970; work under way is taken to have gone on since `view.asOf`
 */
export function forecast(
  view: RunView,
  progressByStep: Readonly<Record<string, Progress>>,
  nowMs: number,
): Forecast {
  const sinceViewMs = Math.max(0, nowMs - Date.parse(view.asOf));
  const remaining: Record<string, Ahead> = {};
  for (const step of view.steps) {
    remaining[step.name] = ahead(step, view, progressByStep[step.name], sinceViewMs);
  }
  const over = new Set(view.steps.filter(isOver).map((step) => step.name));
  const until = view.serviceRestoredBy;
  const pathOf = (which: keyof Ahead) =>
    criticalPath(view.steps, (name) => remaining[name]?.[which] ?? 0, until);
  const median = pathOf('medianMs');
  const worst = pathOf('worstMs');
  const path = median.steps.filter((name) => !over.has(name));

  const detectedMs = Date.parse(view.clock.detectedAt);
  const held = (medianMs: number, worstMs: number, targetMs: number): ComponentForecast => {
    const late = (doneAt: number) => doneAt - (detectedMs + targetMs);
    const [medianDoneAt, worstDoneAt] = [nowMs + medianMs, nowMs + Math.max(medianMs, worstMs)];
    return {
      medianDoneAt,
      worstDoneAt,
      ...(late(medianDoneAt) > 0 ? { breachMs: late(medianDoneAt) } : {}),
      ...(late(worstDoneAt) > 0 ? { worstBreachMs: late(worstDoneAt) } : {}),
    };
  };

  const service = held(median.totalMs, worst.totalMs, view.clock.targetMs);
  const because =
    service.worstBreachMs === undefined
      ? undefined
      : cause(view, service.breachMs === undefined ? worst.steps : median.steps, remaining);
  return {
    ...service,
    ...(because === undefined ? {} : { because }),
    path,
    remaining,
    finishMs: median.finishMs,
    runOverAt: nowMs + Math.max(0, ...Object.values(median.finishMs)),
    byBudget: path.filter((name) => isByBudget(view, progressByStep, name)),
    uncountedPeople: upTo(view.steps, until)
      .filter((step) => !isOver(step) && isUncounted(step, view))
      .map((step) => step.name),
    components: Object.fromEntries(
      view.components
        .filter((component) => component.actualMs === undefined)
        .map((component) => {
          const by = view.steps.filter((step) => step.restores.includes(component.name));
          const names = by.length === 0 ? [until] : by.map((step) => step.name);
          const latest = (finish: Readonly<Record<string, number>>) =>
            Math.max(0, ...names.map((name) => finish[name] ?? 0));
          return [component.name, held(latest(median.finishMs), latest(worst.finishMs), component.targetMs)];
        }),
    ),
  };
}

function isOver(step: StepView): boolean {
  return step.status === 'done' || step.status === 'skipped' || step.status === 'undone';
}

function isByBudget(view: RunView, progress: Readonly<Record<string, Progress>>, name: string): boolean {
  const step = view.steps.find((other) => other.name === name);
  if (step === undefined || step.kind === 'gate' || view.expectations[name] !== undefined) return false;
  return step.status !== 'running' || progress[name]?.ratePerSecond === undefined;
}

function isUncounted(step: StepView, view: RunView): boolean {
  return isAwaitingRepair(step) || (step.kind === 'gate' && expected(step, view).medianMs === 0);
}

/** The step and everything that must be over before it, in plan order. */
function upTo(steps: readonly StepView[], name: string): readonly StepView[] {
  const wanted = new Set([name]);
  const backwards = [...steps].reverse().filter((step) => {
    if (!wanted.has(step.name)) return false;
    for (const need of step.needs) wanted.add(need);
    return true;
  });
  return backwards.reverse();
}

/** Failed for good: it stands still until a person decides. */
function isAwaitingRepair(step: StepView): boolean {
  return step.status === 'waiting' && step.kind !== 'gate';
}

/** What a step takes as a whole: past runs, else its budget. A gate's expiry is no duration. */
function expected(step: StepView, view: RunView): Ahead {
  const past = view.expectations[step.name];
  if (past !== undefined) return { medianMs: past.medianMs, worstMs: Math.max(past.medianMs, past.p90Ms) };
  const budgetMs = step.kind === 'gate' ? 0 : step.budgetMs;
  return { medianMs: budgetMs, worstMs: budgetMs };
}

function ahead(step: StepView, view: RunView, progress: Progress | undefined, sinceViewMs: number): Ahead {
  if (isOver(step)) return { medianMs: 0, worstMs: 0 };
  const whole = expected(step, view);
  // What failed for good is done again once a person says so.
  if (step.status === 'pending' || isAwaitingRepair(step)) return whole;
  if (step.kind === 'gate') return left(whole, step.waitingMs + sinceViewMs);
  const spentMs = step.workingMs + sinceViewMs;
  if (progress?.total === undefined || progress.total <= 0) return left(whole, spentMs);
  return byProgress(whole, spentMs, progress, progress.total);
}

/** Without progress only the time it used to take tells; what has outlasted even that gets a tenth of its time more. */
function left(whole: Ahead, spentMs: number): Ahead {
  const inTime = whole.medianMs - spentMs;
  const worst = whole.worstMs - spentMs;
  if (whole.medianMs === 0) return { medianMs: 0, worstMs: Math.max(0, worst) };
  const medianMs = inTime > 0 ? inTime : Math.max(worst, spentMs / 10);
  return { medianMs, worstMs: Math.max(medianMs, worst) };
}

/**
 * The measured rate decides where there is one. Else the time used so far is scaled up, trusted the more the further the
 * work is: in its first quarter past times weigh in. Never more for more progress, nor for the first of it.
 */
function byProgress(whole: Ahead, spentMs: number, progress: Progress, total: number): Ahead {
  const fraction = Math.min(1, Math.max(0, progress.done / total));
  const trust = Math.min(1, fraction * 4);
  const rate = progress.ratePerSecond;
  const medianMs =
    rate !== undefined && rate > 0
      ? ((1 - fraction) * total * 1000) / rate
      : (1 - fraction) * ((1 - trust) * whole.medianMs + Math.min(4, 1 / fraction) * spentMs);
  const spread = whole.medianMs === 0 ? 1 : whole.worstMs / whole.medianMs;
  return { medianMs, worstMs: Math.max(medianMs * spread, (1 - fraction) * whole.worstMs) };
}

/** The step that took, or will take, most beyond its budget; where none does, the one that still takes longest. */
function cause(
  view: RunView,
  path: readonly string[],
  remaining: Readonly<Record<string, Ahead>>,
): string | undefined {
  let most: { name: string; overMs: number; aheadMs: number } | undefined;
  for (const name of path) {
    const step = view.steps.find((other) => other.name === name);
    if (step === undefined) continue;
    const aheadMs = remaining[name]?.worstMs ?? 0;
    const overMs = Math.max(0, step.workingMs + step.waitingMs + aheadMs - step.budgetMs);
    if (most === undefined || overMs > most.overMs || (overMs === most.overMs && aheadMs > most.aheadMs)) {
      most = { name, overMs, aheadMs };
    }
  }
  return most?.name;
}
