/** `muster status`: what runs, what waits for whom. */

import type { RunView } from '../../model/run.js';
import type { Look } from '../../temporal/observe.js';
import type { RunHandle } from '../../temporal/runs.js';
import { type CliContext, exitCodes, type Register } from '../context.js';
import type { ReportedForecast } from '../forecast-report.js';

interface Options {
  readonly all?: boolean;
  readonly mode?: string;
}

export const register: Register = (program, context) => {
  program
    .command('status')
    .description(
      'what runs now and what waits for whom; a system: its run in full, the last one if none is active',
    )
    .argument('[system]', 'a system, or the id of a run')
    .option('--all', 'systems that are recovered together, a line each')
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)')
    .addHelpText(
      'after',
      `
Exit codes: 0 nothing waits, 1 the run named has failed or was aborted, or one does not answer, 2 bad input,
3 somebody is awaited.

Examples:
  muster status                       every active run
  muster status --all                 systems that are recovered together
  muster status payymo                the run of payymo, with all that waits
  muster status payymo --json         the same for scripts: everything that is known of the run`,
    )
    .action(async (system: string | undefined, options: Options) => {
      if (options.all === true) {
        const { withTemporal } = await import('../sessions.js');
        const { showTogether } = await import('../watching-together.js');
        await withTemporal(context, (session) => showTogether(context, session));
      } else if (system === undefined) await showAll(context);
      else await showOne(context, system, options.mode);
    });
};

/** What `--json` says of a run. */
interface ReportedRun extends Partial<RunView> {
  readonly workflowId: string;
  readonly temporalRunId: string;
  readonly temporalUi: string | null;
  /** Absent once the service is back. */
  readonly forecast?: ReportedForecast;
  readonly trouble?: string;
}

async function showAll(context: CliContext): Promise<void> {
  const { withTemporal } = await import('../sessions.js');
  const { activeRuns } = await import('../../temporal/runs.js');
  const { lookAt } = await import('../../temporal/observe.js');
  const { glance } = await import('../glance.js');
  await withTemporal(context, async (session) => {
    const runs = await activeRuns(session);
    const looks = await Promise.all(runs.map(async (run) => ({ run, look: await lookAt(session, run) })));
    const reported = await Promise.all(looks.map(({ run, look }) => report(session.target, run, look)));
    context.out.result({ runs: reported }, () => glance(context, looks));
    const waits = looks.some(({ look }) => (look.view?.openDecisions.length ?? 0) > 0);
    const silent = looks.some(({ look }) => look.view === undefined);
    context.finishWith(waits ? exitCodes.waits : silent ? exitCodes.failed : exitCodes.done);
  });
}

async function showOne(context: CliContext, system: string, mode: string | undefined): Promise<void> {
  const { chooseRun, parseMode, withTemporal } = await import('../sessions.js');
  const { lookAt } = await import('../../temporal/observe.js');
  const { glance, wholeScreen } = await import('../glance.js');
  const { exitCodeOf } = await import('../run-exit-code.js');
  await withTemporal(context, async (session) => {
    const run = await chooseRun(session, system, parseMode(mode));
    const look = await lookAt(session, run);
    const { view } = look;
    context.out.result({ run: await report(session.target, run, look) }, () =>
      view === undefined ? glance(context, [{ run, look }]) : wholeScreen(context, look, view),
    );
    const broken = look.brokenOff !== undefined || view === undefined;
    context.finishWith(broken ? exitCodes.failed : exitCodeOf(view));
  });
}

async function report(
  target: Parameters<typeof import('../../temporal/target.js').uiLink>[0],
  run: RunHandle,
  { view, activity = {}, trouble, brokenOff }: Look,
): Promise<ReportedRun> {
  const { uiLink } = await import('../../temporal/target.js');
  const { reportForecast } = await import('../forecast-report.js');
  const problem = trouble ?? brokenOff;
  const ahead = view === undefined ? undefined : reportForecast(view, activity);
  return {
    ...view,
    ...(view === undefined && run.runId !== undefined ? { runId: run.runId } : {}),
    system: run.system,
    mode: run.mode,
    workflowId: run.workflowId,
    temporalRunId: run.temporalRunId,
    temporalUi: uiLink(target, run.workflowId, run.temporalRunId) ?? null,
    ...(ahead === undefined ? {} : { forecast: ahead }),
    ...(problem === undefined ? {} : { trouble: problem }),
  };
}
