/** `muster retry`: have a step that failed for good done once more. */
import type { Register } from '../context.js';
import type { DecisionOptions } from '../deciding.js';

export const register: Register = (program, context) => {
  program
    .command('retry')
    .description('do a step that failed once more, after its cause was mended')
    .argument('<system>', 'the system whose run waits')
    .argument('<step>', 'the step that failed, as muster watch names it')
    .option('--by <name>', "who decides: a name from the runbook's people (default: MUSTER_BY)")
    .option('--reason <why>', 'what was mended, for everybody who reads it later')
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)')
    .addHelpText(
      'after',
      `
Examples:
  muster retry payymo restore --by on-call --reason "repository 1 can be reached again"`,
    )
    .action(async (system: string, step: string, options: DecisionOptions) => {
      const { sendDecision } = await import('../deciding.js');
      await sendDecision(context, system, { on: step, choice: 'retry' }, options);
    });
};
