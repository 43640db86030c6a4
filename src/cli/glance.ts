/** Runs as they stand at this moment, once. */
import { forecast } from '../../workflows/engine/forecast.js';
import type { RunView } from '../model/run.js';
import type { Look } from '../temporal/observe.js';
import { progressOf } from '../temporal/progress.js';
import type { RunHandle } from '../temporal/runs.js';
import type { CliContext } from './context.js';
import { renderStatus } from './render/status.js';
import { renderWatch } from './render/watch.js';

/** A block a run. */
export function glance(
  context: CliContext,
  looks: readonly { readonly run: RunHandle; readonly look: Look }[],
): string {
  const now = Date.now();
  const answered = looks.flatMap(({ look: { view, activity = {} } }) =>
    view === undefined ? [] : [{ view, activity, forecast: forecast(view, progressOf(activity), now) }],
  );
  const silent = looks
    .filter(({ look }) => look.view === undefined)
    .map(({ run, look }) => ({
      name: run.runId ?? run.workflowId,
      startedAt: run.startedAt,
      trouble: look.trouble ?? look.brokenOff ?? 'it does not say how it stands',
    }));
  return renderStatus(answered, silent, sizeOf(context, now)).join('\n');
}

/** Everything about one run. */
export function wholeScreen(context: CliContext, look: Look, view: RunView): string {
  const now = Date.now();
  const activity = look.activity ?? {};
  const ahead = forecast(view, progressOf(activity), now);
  const { outputs } = look;
  const lines = renderWatch({ view, activity, forecast: ahead, outputs }, sizeOf(context, now));
  return [
    ...lines,
    ...(look.brokenOff === undefined
      ? []
      : ['', `Ended in Temporal from outside the run: ${look.brokenOff}.`]),
  ].join('\n');
}

function sizeOf(context: CliContext, now: number) {
  return { width: context.out.width, color: context.out.colors.isColorSupported, now };
}
