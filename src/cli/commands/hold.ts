/** `muster hold`: begin nothing new. */
import { WHOLE_RUN } from '../../model/decision.js';
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

export const register: Register = (program, context) => {
  const command = program
    .command('hold')
    .description('begin nothing new in a run: what works goes on to its end, and the clock runs on')
    .argument('<system>', 'the system whose run is held');
  addDecisionOptions(command, {
    reason: 'why, for everybody who reads it later',
    reasonRequired: true,
  })
    .addHelpText(
      'after',
      `
Anybody on the roster may hold a run; who commands it resumes it. Gates can be decided meanwhile.

Examples:
  muster hold payymo --by database-lead --reason "the processor sends other figures"
  muster resume payymo --by on-call`,
    )
    .action(async (system: string, options: DecisionOptions) => {
      const { sendDecision } = await import('../deciding.js');
      await sendDecision(context, system, { on: WHOLE_RUN, choice: 'hold' }, options);
    });
};
