/** `muster abort`: end a run and undo what it changed. */

import { RefusedError } from '../../errors.js';
import { WHOLE_RUN } from '../../model/decision.js';
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

interface Options extends DecisionOptions {
  readonly yes?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('abort')
    .description(
      'end the run of a system and undo what it changed, newest first; says what before it is done',
    )
    .argument('<system>', 'the system whose run is ended');
  addDecisionOptions(command, {
    reason: 'why, for everybody who reads it later',
    reasonRequired: true,
  })
    .option('--yes', 'do not ask, for scripts')
    .addHelpText(
      'after',
      `
Refused once the recovered copy was promoted: going back from there is a recovery of its own.

Examples:
  muster abort payymo --by on-call --reason "the damage was a false alarm"`,
    )
    .action(async (system: string, { yes, ...options }: Options) => {
      const { sendDecision } = await import('../deciding.js');
      const { confirmSerious } = await import('../warning.js');
      const abort = { on: WHOLE_RUN, choice: 'abort' } as const;
      await sendDecision(context, system, abort, options, async (situation) => {
        const { view, run } = situation;
        if (view?.pointOfNoReturnPassed === true && view.endedAt === undefined) throw tooLate(run.system);
        await confirmSerious(context, situation, abort, yes !== true);
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
