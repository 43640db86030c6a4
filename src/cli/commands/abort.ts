/** `muster abort`: end a run and undo what it changed. */

import { RefusedError } from '../../errors.js';
import { WHOLE_RUN } from '../../model/decision.js';
import type { RunView } from '../../model/run.js';
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';
import { possibleActions } from '../render/actions.js';

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
        const { view } = situation;
        if (view?.pointOfNoReturnPassed === true && view.endedAt === undefined) throw tooLate(view);
        await confirmSerious(context, situation, abort, yes !== true);
      });
    });
};

function tooLate(view: RunView): RefusedError {
  const commands = possibleActions(view).map(({ command }) => command);
  return new RefusedError(
    'PastPointOfNoReturn',
    'The point of no return has passed: the run cannot be aborted any more, it only goes forward.',
    {
      why: 'Going back from the promoted copy is a recovery of its own.',
      next: `Possible now:\n         ${[`muster watch ${view.system}`, ...commands].join('\n         ')}`,
    },
  );
}
