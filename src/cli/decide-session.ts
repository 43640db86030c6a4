/** `muster decide`: goes on while something waits. */

import { forecast } from '../../workflows/engine/forecast.js';
import { RefusedError } from '../errors.js';
import type { RunView } from '../model/run.js';
import type { GivenMeans } from '../people/prove.js';
import type { TemporalSession } from '../temporal/connection.js';
import { type Look, lookAt } from '../temporal/observe.js';
import { progressOf } from '../temporal/progress.js';
import type { RunHandle } from '../temporal/runs.js';
import { decideOnce } from './choosing.js';
import { type CliContext, exitCodes } from './context.js';
import { showOpenDecisions } from './deciding.js';
import { LeftError, Prompts } from './prompts.js';
import { possibleActions, possibleLines } from './render/actions.js';
import { paintLine } from './render/line.js';
import { renderHead } from './render/watch.js';
import { exitCodeOf } from './run-exit-code.js';
import { type Prover, proverFrom } from './sender.js';
import { chooseRun, parseMode, withTemporal } from './sessions.js';

export interface DecideOptions extends GivenMeans {
  readonly by?: string;
  readonly mode?: string;
}

/**
 * Shows what waits and, at a terminal, lets the person choose until nothing waits any more or they leave.
 * @throws RefusedError when there is no such run, or it does not answer
 */
export async function decideAtTerminal(
  context: CliContext,
  system: string | undefined,
  options: DecideOptions,
): Promise<void> {
  await withTemporal(context, async (session) => {
    const run = await chooseRun(session, system, parseMode(options.mode));
    const { person } = context;
    if (person === undefined) {
      const { look, view } = await lookOrRefuse(session, run);
      context.out.result(asJson(view), () => '');
      if (!context.out.json) showAll(context, look, view);
      context.finishWith(exitCodeOf(view));
      return;
    }
    const by = options.by ?? context.world.env.MUSTER_BY;
    await untilNothingWaits(context, new Prompts(person), { session, run }, by, proverFrom(context, options));
  });
}

async function untilNothingWaits(
  context: CliContext,
  prompts: Prompts,
  { session, run }: { readonly session: TemporalSession; readonly run: RunHandle },
  by: string | undefined,
  prover: Prover,
): Promise<void> {
  try {
    for (let round = 0; ; round += 1) {
      const { look, view } = await lookOrRefuse(session, run);
      context.finishWith(exitCodeOf(view));
      const idle = view.openDecisions.length === 0;
      if (view.endedAt !== undefined || view.steering.length === 0 || (idle && round > 0)) {
        context.out.line(idle ? `Nothing waits for a person now. Watch it: muster watch ${run.system}` : '');
        return;
      }
      showSituation(context, look, view);
      if (!(await decideOnce(context, prompts, { session, run, view }, by, prover))) return;
    }
  } catch (error) {
    if (!(error instanceof LeftError)) throw error;
    context.out.note(`The run goes on. Decide again: muster decide ${run.system}`);
    context.finishWith(exitCodes.interrupted);
  }
}

async function lookOrRefuse(
  session: TemporalSession,
  run: RunHandle,
): Promise<{ readonly look: Look; readonly view: RunView }> {
  const look = await lookAt(session, run);
  if (look.view !== undefined) return { look, view: look.view };
  throw new RefusedError('RunSilent', `${run.runId ?? run.workflowId} does not say what waits.`, {
    why: look.trouble ?? look.brokenOff ?? '',
    next: `Look whether a worker runs. A decision can be sent all the same: muster approve ${run.system} GATE --by NAME.`,
  });
}

/** How the run stands, and all there is to know of what waits. */
export function showSituation(context: CliContext, { activity = {} }: Look, view: RunView): void {
  const now = Date.now();
  const { width, colors } = context.out;
  const ahead = forecast(view, progressOf(activity), now);
  const size = { width, color: colors.isColorSupported, now };
  for (const line of [...renderHead({ view, activity, forecast: ahead }, size), '']) context.out.line(line);
  showOpenDecisions(context, view);
}

function showAll(context: CliContext, look: Look, view: RunView): void {
  const { width, colors } = context.out;
  showSituation(context, look, view);
  for (const line of possibleLines(view, width, 'full'))
    context.out.line(paintLine(line, width, colors.isColorSupported));
}

function asJson(view: RunView) {
  const { runId, system, mode, status, commander, hold, planHash, openDecisions } = view;
  return {
    runId,
    system,
    mode,
    status,
    commander,
    hold: hold ?? null,
    planHash,
    waits: openDecisions,
    possible: possibleActions(view).filter(({ choice }) => choice !== undefined),
  };
}
