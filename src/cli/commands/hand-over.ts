/** `muster hand-over`: somebody else commands. */
import { WHOLE_RUN } from '../../model/decision.js';
import type { Register } from '../context.js';
import { addDecisionOptions, type DecisionOptions } from '../decision-options.js';

interface Options extends DecisionOptions {
  readonly to: string;
}

export const register: Register = (program, context) => {
  const command = program
    .command('hand-over')
    .description(
      'hand the command of a run over: who commands resumes, retries, skips, aborts and hands over',
    )
    .argument('<system>', 'the system whose run is handed over')
    .requiredOption('--to <name>', "who commands from then on: a name from the runbook's people");
  addDecisionOptions(command, { reason: 'why, for everybody who reads it later' })
    .addHelpText(
      'after',
      `
The commander hands over, or anybody with the role incident-commander takes it. Who approves at gates does not change.

Examples:
  muster hand-over payymo --by on-call --to night-lead --reason "end of the shift"`,
    )
    .action(async (system: string, { to, ...options }: Options) => {
      const { sendDecision } = await import('../deciding.js');
      await sendDecision(context, system, { on: WHOLE_RUN, choice: 'hand-over', to }, options);
    });
};
