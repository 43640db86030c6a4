/** The forecast for scripts: times as ISO 8601 UTC, what is still to come in milliseconds. */
import { type ComponentForecast, type Forecast, forecast } from '../../workflows/engine/forecast.js';
import type { RunView } from '../model/run.js';
import type { StepActivity } from '../temporal/progress.js';
import { progressOf } from '../temporal/progress.js';

export interface ReportedComponent {
  readonly backAt: string;
  /** As one in ten past runs was worse. */
  readonly worstAt: string;
  /** By how much its RTO will be missed, by the median and at worst; absent where it is met. */
  readonly breachMs?: number;
  readonly worstBreachMs?: number;
}

export interface ReportedForecast extends ReportedComponent {
  /** The step that causes the breach. */
  readonly because?: string;
  /** Steps whose time is their budget, because no past run tells it. */
  readonly byBudget: readonly string[];
  /** Steps that wait for people whose time nobody can tell; it comes on top. */
  readonly uncountedPeople: readonly string[];
  readonly components: Readonly<Record<string, ReportedComponent>>;
  /** What each step still takes. */
  readonly steps: Forecast['remaining'];
}

/** Nothing is foretold of a run that has ended, or whose service is back. */
export function reportForecast(
  view: RunView,
  activity: Readonly<Record<string, StepActivity>>,
): ReportedForecast | undefined {
  if (view.endedAt !== undefined || view.clock.actualMs !== undefined) return undefined;
  const ahead = forecast(view, progressOf(activity), Date.now());
  const { because, byBudget, uncountedPeople, remaining } = ahead;
  return {
    ...reported(ahead),
    ...(because === undefined ? {} : { because }),
    byBudget,
    uncountedPeople,
    components: Object.fromEntries(
      Object.entries(ahead.components).map(([name, component]) => [name, reported(component)]),
    ),
    steps: remaining,
  };
}

function reported({
  medianDoneAt,
  worstDoneAt,
  breachMs,
  worstBreachMs,
}: ComponentForecast): ReportedComponent {
  return {
    backAt: new Date(medianDoneAt).toISOString(),
    worstAt: new Date(worstDoneAt).toISOString(),
    ...(breachMs === undefined ? {} : { breachMs }),
    ...(worstBreachMs === undefined ? {} : { worstBreachMs }),
  };
}
