/** `muster statement`: the text to sign for a decision that is sent without Muster. */
import { decisionChoices } from '../../model/decision.js';
import type { Register } from '../context.js';
import type { StatementOptions } from '../stating.js';

export const register: Register = (program, context) => {
  program
    .command('statement')
    .description('the text to sign for a decision that is sent by the Temporal UI or CLI, and how to send it')
    .argument('<system>', 'the system whose run is decided about')
    .argument('<choice>', decisionChoices.join(', '))
    .argument('[on]', 'gate or step, as muster watch names it; left out: the whole run')
    .option('--by <name>', "who decides: a name from the runbook's people (default: MUSTER_BY)")
    .option('--reason <why>', 'becomes part of what is signed')
    .option(
      '--change <name=value>',
      'an input that is replaced, as the run takes it; may be repeated',
      collect,
    )
    .option('--to <name>', 'with hand-over: who commands from then on')
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)')
    .option('--file <file>', 'write the text there, exactly as it is signed')
    .addHelpText(
      'after',
      `
The text fits one run, one plan, one opening of a gate, one choice; what is signed counts for 5 minutes.

Examples:
  muster statement payymo approve promote --by database-lead --file statement.txt
  muster statement payymo hold --by on-call --reason "the network team asks for a minute"
  muster statement payymo approve point --by database-lead --json`,
    )
    .action(async (system: string, choice: string, on: string | undefined, options: StatementOptions) => {
      const { showStatement } = await import('../stating.js');
      await showStatement(context, { system, choice, on }, options);
    });
};

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
