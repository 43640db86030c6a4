/** `muster history`: past runs, and how the time of each step developed. */
import { InputError } from '../../errors.js';
import type { Register } from '../context.js';

interface Options {
  readonly limit: string;
}

export const register: Register = (program, context) => {
  program
    .command('history')
    .description(
      'past runs with their result and measured RTO; of a system also how the time of each step developed',
    )
    .argument('[system]', 'a system')
    .argument('[scenario]', 'only the runs of this scenario')
    .option('--limit <runs>', 'how many runs to go back', '20')
    .addHelpText(
      'after',
      `
Examples:
  muster history                      the last runs of every system
  muster history payymo               with how each step's time developed
  muster history payymo corruption    run by run, with median and 90th percentile
  muster history payymo --json`,
    )
    .action(async (system: string | undefined, scenario: string | undefined, options: Options) => {
      const limit = Number(options.limit);
      if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
        throw new InputError('That many runs cannot be shown.', [
          { field: '--limit', given: options.limit, allowed: 'a whole number from 1 to 1000' },
        ]);
      }
      const { withStore } = await import('../record.js');
      const { pastRuns } = await import('../../store/runs.js');
      const { developmentOf } = await import('../development.js');
      const { renderHistory } = await import('../render/history.js');
      const views = await withStore(context, (store) =>
        pastRuns(store, {
          limit,
          ...(system === undefined ? {} : { system }),
          ...(scenario === undefined ? {} : { scenario }),
        }),
      );
      const steps = system === undefined ? [] : developmentOf(views);
      context.out.result({ runs: views.map(summaryOf), steps }, (colors) =>
        renderHistory(views, steps, colors, context.out.width),
      );
    });
};

function summaryOf(view: import('../../model/run.js').RunView) {
  const { runId, system, scenario, mode, status, clock, endedAt, planHash } = view;
  return {
    runId,
    system,
    scenario,
    mode,
    status,
    startedAt: clock.startedAt,
    endedAt: endedAt ?? null,
    rto: {
      targetMs: clock.targetMs,
      actualMs: clock.actualMs ?? null,
      workingMs: clock.workingMs,
      waitingMs: clock.waitingMs,
    },
    planHash,
  };
}
