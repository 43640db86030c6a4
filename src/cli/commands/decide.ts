/** `muster decide`: everything that can be decided about a run, chosen from at a terminal. */
import type { Register } from '../context.js';
import type { DecideOptions } from '../decide-session.js';
import { addProofOptions } from '../proving.js';

export const register: Register = (program, context) => {
  const command = program
    .command('decide')
    .description(
      'show what waits and all that is possible now with its consequences; at a terminal, choose from it',
    )
    .argument('[system]', 'a system, or the id of a run (default: the one run that is active)')
    .option('--by <name>', "who decides: a name from the runbook's people (default: MUSTER_BY, else asked)")
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)');
  addProofOptions(command)
    .addHelpText(
      'after',
      `
Without a terminal nothing is asked: the same is printed, with the exact commands.
Exit codes: 0 nothing waits, 1 the run has failed, was aborted or does not answer, 2 bad input, 3 somebody is awaited,
130 left with Ctrl-C: the run goes on.

Examples:
  muster decide payymo
  muster decide payymo --by database-lead
  muster decide payymo --json         what waits, what is possible, the command of each choice`,
    )
    .action(async (system: string | undefined, options: DecideOptions) => {
      const { decideAtTerminal } = await import('../decide-session.js');
      await decideAtTerminal(context, system, options);
    });
};
