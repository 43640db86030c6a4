/** `muster skip`: go on without a step that failed. */
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

interface Options extends DecisionOptions {
  readonly yes?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('skip')
    .description('go on without a step that failed, where the plan allows it; says what that means')
    .argument('<system>', 'the system whose run waits')
    .argument('<step>', 'the step that failed, as muster watch names it');
  addDecisionOptions(command, {
    reason: 'why it can be gone without, for everybody who reads it later',
    reasonRequired: true,
  })
    .option('--yes', 'do not ask, for scripts')
    .addHelpText(
      'after',
      `
Steps that others rest on cannot be skipped: fence, verification and promotion among them.

Examples:
  muster skip payymo lower-dns-ttl --by on-call --reason "the zone is moved by hand"`,
    )
    .action(async (system: string, step: string, { yes, ...options }: Options) => {
      const { sendDecision } = await import('../deciding.js');
      const { confirmSerious } = await import('../warning.js');
      await sendDecision(context, system, { on: step, choice: 'skip' }, options, (situation) =>
        confirmSerious(context, situation, { on: step, choice: 'skip' }, yes !== true),
      );
    });
};
