/** `muster deny`: keep a gate shut, with the reason. */
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

export const register: Register = (program, context) => {
  const command = program
    .command('deny')
    .description('deny a gate, with the reason; the run goes on waiting for another decision')
    .argument('<system>', 'the system whose run waits')
    .argument('<gate>', 'the gate, as muster watch names it');
  addDecisionOptions(command, { reason: 'why, for everybody who reads it later', reasonRequired: true })
    .addHelpText(
      'after',
      `
Examples:
  muster deny payymo point --by database-lead --reason "the processor shows a wrong amount at 02:58:50 already"`,
    )
    .action(async (system: string, gate: string, options: DecisionOptions) => {
      const { sendDecision } = await import('../deciding.js');
      await sendDecision(context, system, { on: gate, choice: 'deny' }, options);
    });
};
