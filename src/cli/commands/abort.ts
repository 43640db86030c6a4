/** `muster abort`: end a run and undo what it changed. */
import { RefusedError } from '../../errors.js';
import type { Register } from '../context.js';
import type { DecisionOptions } from '../deciding.js';

interface Options extends DecisionOptions {
  readonly yes?: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('abort')
    .description(
      'end the run of a system and undo what it changed, newest first; says what before it is done',
    )
    .argument('<system>', 'the system whose run is ended')
    .option('--by <name>', "who decides: a name from the runbook's people (default: MUSTER_BY)")
    .requiredOption('--reason <why>', 'why, for everybody who reads it later')
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)')
    .option('--yes', 'do not ask, for scripts')
    .addHelpText(
      'after',
      `
Refused once the recovered copy was promoted: going back from there is a recovery of its own.

Examples:
  muster abort payymo --by on-call --reason "the damage was a false alarm"`,
    )
    .action(async (system: string, options: Options) => {
      const { sendDecision } = await import('../deciding.js');
      const { confirmByTyping } = await import('../confirm.js');
      await sendDecision(context, system, { on: 'run', choice: 'abort' }, options, async (view, run) => {
        if (view?.abortDoes === undefined) {
          if (view?.pointOfNoReturnPassed === true && view.endedAt === undefined) throw tooLate(run.system);
          return;
        }
        context.out.line(`Aborting ${view.runId} ${view.abortDoes}.`);
        if (options.yes !== true) {
          await confirmByTyping(context, `Type ${run.system} to abort:`, run.system);
        }
      });
    });
};

function tooLate(system: string): RefusedError {
  return new RefusedError(
    'PastPointOfNoReturn',
    'The recovered copy is promoted: the run cannot be aborted any more, it only goes forward.',
    { next: `See what it is doing with muster watch ${system}. Going back is a recovery of its own.` },
  );
}
