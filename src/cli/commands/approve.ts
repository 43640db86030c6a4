/** `muster approve`: open a gate. */

import type { Register } from '../context.js';
import type { DecisionOptions } from '../deciding.js';

interface Options extends DecisionOptions {
  readonly point?: string;
}

export const register: Register = (program, context) => {
  program
    .command('approve')
    .description('approve a gate; without a gate: show what waits and all there is to know for the decision')
    .argument('<system>', 'the system whose run waits')
    .argument('[gate]', 'the gate, as muster watch names it')
    .option('--by <name>', "who approves: a name from the runbook's people (default: MUSTER_BY)")
    .option('--reason <why>', 'why, for everybody who reads it later')
    .option('--point <time>', 'another recovery point, where the gate allows it: the restore moves there')
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)')
    .addHelpText(
      'after',
      `
The same without this program:
  temporal workflow update execute --workflow-id payymo.real --name decide \\
    --input '{"on": "point", "choice": "approve", "by": "database-lead"}'

Examples:
  muster approve payymo
  muster approve payymo point --by database-lead
  muster approve payymo point --by database-lead --point 02:58:30 --reason "one more bad payment found"`,
    )
    .action(async (system: string, gate: string | undefined, options: Options) => {
      const { sendDecision, showWhatWaits } = await import('../deciding.js');
      const { parseMoment } = await import('../moment.js');
      if (gate === undefined) await showWhatWaits(context, system, options);
      else {
        const point =
          options.point === undefined
            ? {}
            : { change: { point: parseMoment(options.point, '--point', Date.now()) } };
        await sendDecision(context, system, { on: gate, choice: 'approve', ...point }, options);
      }
    });
};
