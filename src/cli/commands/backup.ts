/** `muster backup`: take the backups of a system now. */
import type { Register } from '../context.js';

interface Options {
  readonly type?: string;
  readonly by?: string;
  readonly wait: boolean;
}

export const register: Register = (program, context) => {
  program
    .command('backup')
    .description('take the backups of a system now, look for them in every place, and say what is unusual')
    .argument('<system>', 'the system, by the name of its runbook')
    .argument('[backup]', 'one of its backups (default: all of them, one after the other)')
    .option('--type <type>', 'pgbackrest: full, diff or incr (default: full)')
    .option('--by <name>', 'who asks for it (default: MUSTER_BY, else the account)')
    .option('--no-wait', 'return once it is begun')
    .addHelpText(
      'after',
      `
It writes into the places of the backup and nowhere else; nothing expires. While a recovery of the system is active it is refused.
Exit codes: 0 taken (or begun), 1 a backup is missing or not to be relied on, 2 bad input: nothing has started.

Examples:
  muster backup moneyflow
  muster backup payymo ledger --type incr`,
    )
    .action(async (system: string, backup: string | undefined, options: Options) => {
      const { backUp } = await import('../backing-up.js');
      await backUp(context, system, backup, options);
    });
};
