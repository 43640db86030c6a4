/** `muster adopt`: go on with a run whose Temporal server is gone. */
import type { AdoptOptions } from '../adopting.js';
import type { Register } from '../context.js';

export const register: Register = (program, context) => {
  program
    .command('adopt')
    .description('go on with a run whose Temporal server is gone, from its journal')
    .argument('<run>', 'the id of the run, or its system: the newest run')
    .option('--by <name>', 'who takes it over (default: MUSTER_BY)')
    .option('--from-anchor', 'from the anchors alone: the store is gone too')
    .option('--key <file>', 'the public key (PEM) of the anchors as you have it from elsewhere')
    .option('--watch', 'watch it until it ends (default on a terminal)')
    .option('--no-watch', 'return once it goes on')
    .option('--yes', 'do not ask, for scripts')
    .addHelpText(
      'after',
      `
Set TEMPORAL_ADDRESS to the new server and start a worker there first. Steps that were finished are not done again, the one
that was under way is looked at for its effect, approvals stand, the clock goes on. A journal that was altered is refused.
Exit codes: as of muster recover.

Examples:
  muster adopt payymo --by on-call
  muster adopt payymo --from-anchor --by on-call --key muster.pub.pem`,
    )
    .action(async (run: string, options: AdoptOptions) => {
      const { adopt } = await import('../adopting.js');
      await adopt(context, run, options);
    });
};
