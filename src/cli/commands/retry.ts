/** `muster retry`: have a step that failed for good done once more. */
import type { Register } from '../context.js';
import {
  addChangeOptions,
  addDecisionOptions,
  type ChangeOptions,
  changeFrom,
  type DecisionOptions,
} from '../decision-options.js';

export const register: Register = (program, context) => {
  const command = program
    .command('retry')
    .description('do a step that failed once more, after its cause was mended or with another input')
    .argument('<system>', 'the system whose run waits')
    .argument('<step>', 'the step that failed, as muster watch names it');
  addChangeOptions(
    addDecisionOptions(command, { reason: 'what was mended, for everybody who reads it later' }),
  )
    .addHelpText(
      'after',
      `
Another input is checked first; refused, nothing has changed. What was built on the old one is done again.

Examples:
  muster retry payymo restore --by on-call --reason "repository 1 can be reached again"
  muster retry payymo restore --by on-call --point 02:58:30 --reason "the backup has a hole after that"
  muster retry payymo provision-target --by on-call --target east --reason "west-b has no room"`,
    )
    .action(async (system: string, step: string, options: DecisionOptions & ChangeOptions) => {
      const { sendDecision } = await import('../deciding.js');
      const change = changeFrom(options, Date.now());
      await sendDecision(context, system, { on: step, choice: 'retry', ...change }, options);
    });
};
