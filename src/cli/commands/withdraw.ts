/** `muster withdraw`: take an own word back. */
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

export const register: Register = (program, context) => {
  const command = program
    .command('withdraw')
    .description('take back your own approval or denial, while the gate is still open')
    .argument('<system>', 'the system whose run waits')
    .argument('<gate>', 'the gate, as muster watch names it');
  addDecisionOptions(command, {
    reason: 'why, for everybody who reads it later',
  })
    .addHelpText(
      'after',
      `
Once the gate has opened its approvals stand: hold the run, or abort it.

Examples:
  muster withdraw payymo promote --by technical-director --reason "the processor disagrees"`,
    )
    .action(async (system: string, gate: string, options: DecisionOptions) => {
      const { sendDecision } = await import('../deciding.js');
      await sendDecision(context, system, { on: gate, choice: 'withdraw' }, options);
    });
};
