/** `muster approve`: open a gate. */
import { InputError } from '../../errors.js';
import type { Register } from '../context.js';
import {
  addChangeOptions,
  addDecisionOptions,
  type ChangeOptions,
  changeFrom,
  type DecisionOptions,
} from '../decision-options.js';

interface Options extends DecisionOptions, ChangeOptions {
  readonly all?: boolean;
  readonly yes?: boolean;
}

export const register: Register = (program, context) => {
  const command = program
    .command('approve')
    .description('approve a gate; without a gate: show what waits and all there is to know for the decision')
    .argument('<system>', 'the system whose run waits; with --all: the gate')
    .argument('[gate]', 'the gate, as muster watch names it');
  command
    .option('--all', 'at the same gate of every real run that waits there: asked once, signed for each')
    .option('--yes', 'with --all: do not ask, for scripts');
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
  muster approve --all promote --by technical-director
  muster approve payymo point --by database-lead --point 02:58:30 --reason "one more bad payment found"`,
    )
    .action(async (system: string, gate: string | undefined, options: Options) => {
      if (options.all === true) {
        const { approveTogether } = await import('../approving-together.js');
        requireGateAlone(gate, options);
        return approveTogether(context, system, options);
      }
      const { sendDecision, showWhatWaits } = await import('../deciding.js');
      if (gate === undefined) return showWhatWaits(context, system, options);
      const change = changeFrom(options, Date.now());
      return sendDecision(context, system, { on: gate, choice: 'approve', ...change }, options);
    });
};

/** What is changed is changed in one run: the others have points and sites of their own. */
function requireGateAlone(second: string | undefined, { point, target, change = [] }: Options): void {
  const more = [second, point, target, ...change].filter((one) => one !== undefined);
  if (more.length === 0) return;
  throw new InputError('With --all the gate is named, and nothing is changed; nothing was sent.', [
    { field: '--all', given: more.join(', '), allowed: 'muster approve --all <gate>' },
  ]);
}
