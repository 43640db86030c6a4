/** `muster approve`: open a gate. */
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
    .command('approve')
    .description('approve a gate; without a gate: show what waits and all there is to know for the decision')
    .argument('<system>', 'the system whose run waits')
    .argument('[gate]', 'the gate, as muster watch names it');
  addChangeOptions(addDecisionOptions(command, { reason: 'why, for everybody who reads it later' }))
    .addHelpText(
      'after',
      `
The same without this program:
  temporal workflow update execute --workflow-id payymo.real --name decide \\
    --input '{"on": "point", "choice": "approve", "by": "database-lead"}'
  (--codec-endpoint URL makes its answer readable where payloads are encrypted)

Examples:
  muster approve payymo
  muster approve payymo point --by database-lead
  muster approve payymo point --by database-lead --point 02:58:30 --reason "one more bad payment found"`,
    )
    .action(async (system: string, gate: string | undefined, options: DecisionOptions & ChangeOptions) => {
      const { sendDecision, showWhatWaits } = await import('../deciding.js');
      if (gate === undefined) await showWhatWaits(context, system, options);
      else {
        const change = changeFrom(options, Date.now());
        await sendDecision(context, system, { on: gate, choice: 'approve', ...change }, options);
      }
    });
};
