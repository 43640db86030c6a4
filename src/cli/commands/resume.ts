/** `muster resume`: let a run that is held go on. */
import { WHOLE_RUN } from '../../model/decision.js';
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

export const register: Register = (program, context) => {
  const command = program
    .command('resume')
    .description('let a run that is held go on: whatever is ready begins at once')
    .argument('<system>', 'the system whose run is held');
  addDecisionOptions(command, { reason: 'why, for everybody who reads it later' })
    .addHelpText(
      'after',
      `
Examples:
  muster resume payymo --by on-call --reason "the figures are explained"`,
    )
    .action(async (system: string, options: DecisionOptions) => {
      const { sendDecision } = await import('../deciding.js');
      await sendDecision(context, system, { on: WHOLE_RUN, choice: 'resume' }, options);
    });
};
