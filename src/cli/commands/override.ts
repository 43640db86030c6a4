/** `muster override`: break the glass. */
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

interface Options extends DecisionOptions {
  readonly yes?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('override')
    .description('open a gate with fewer people than it demands, or go on without the proof of a fence; loud')
    .argument('<system>', 'the system whose run waits')
    .argument('<gate>', 'the gate, or the fence that failed, as muster watch names it');
  addDecisionOptions(command, {
    reason: 'why nobody else can be waited for; it stands on the first page of the report',
    reasonRequired: true,
  })
    .option('--yes', 'do not ask, for scripts')
    .addHelpText(
      'after',
      `
Only people whom the runbook names for it (breakGlass), as many as it demands; everybody on the roster is told.

Examples:
  muster override payymo promote --by on-call --reason "the directors are on one aeroplane"`,
    )
    .action(async (system: string, gate: string, { yes, ...options }: Options) => {
      const { sendDecision } = await import('../deciding.js');
      const { confirmSerious } = await import('../warning.js');
      await sendDecision(context, system, { on: gate, choice: 'override' }, options, (situation) =>
        confirmSerious(context, situation, { on: gate, choice: 'override' }, yes !== true),
      );
    });
};
