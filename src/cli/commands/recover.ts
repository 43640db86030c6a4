/** `muster recover`: begin a recovery. */
import type { Register } from '../context.js';
import type { TogetherOptions } from '../recovering-together.js';

export const register: Register = (program, context) => {
  program
    .command('recover')
    .description('begin a recovery: shows what it will do, looks whether it can, begins it and watches it')
    .argument(
      '<scenario>',
      'what has happened: corruption, corruptedTables, azLoss, infrastructureFailure, regionalLoss, providerOutage, objectLoss, badDeployment, backupLoss, breach; afterwards: salvage, failback',
    )
    .argument('[systems...]', 'by the names of their runbooks; a system alone is diagnosed first')
    .option('--all', 'every system whose runbook has the scenario')
    .option('--at-once <n>', 'of several systems: how many may work at the same time', '2')
    .option(
      '--before <time>',
      'corruption: the newest moment at which the data is known to be good (left out: it is searched for); objectLoss: at which the files were (left out: the bucket is lost)',
    )
    .option('--until <time>', 'objectLoss: what was written from then on was done on purpose and stays')
    .option('--prefix <prefix>', 'objectLoss: only files whose key begins with it')
    .option('--deleted-only', 'objectLoss: files that were overwritten stay as they are')
    .option('--tables <list>', 'corruptedTables: which, as schema.table,schema.table')
    .option(
      '--detected-at <time>',
      'when the disaster was noticed: the RTO clock runs since then (default: now)',
    )
    .option('--mode <mode>', 'real or drill', 'real')
    .option('--by <name>', 'who begins it (default: MUSTER_BY, else the account)')
    .option('--commander <name>', 'who commands it, a name of the roster (default: who begins it)')
    .option('--watch', 'watch it until it ends (default on a terminal)')
    .option('--no-watch', 'return once it is begun')
    .option('--yes', 'do not ask, for scripts')
    .option(
      '--no-preflight',
      'begin although what was looked at beforehand is not in order; the run stops at the step that meets it',
    )
    .addHelpText(
      'after',
      `
Times: 2026-03-01T02:59:39Z (with a zone), 02:59 or 02:59:39 (UTC, today), "10 min ago".
Exit codes: 0 recovered (or begun, when not watched), 1 failed or aborted, 2 bad input: nothing has started,
3 waits for a person (muster status), 130 left with Ctrl-C: the run goes on.

Examples:
  muster recover corruption payymo --before 02:59:40
  muster recover corruption payymo                      # nobody knows since when: the newest clean point is searched for
  muster recover corruptedTables payymo --tables ledger.accounts --before 02:59:40
  muster recover azLoss payymo --detected-at 03:02
  muster recover regionalLoss --all --at-once 3         # see muster watch --all
  muster recover payymo                                 # shows what fits what is seen, and asks
  muster recover objectLoss payymo --before 02:59 --until 03:05 --prefix statements/   # without --before: the bucket is lost
  muster recover corruption payymo --before "10 min ago" --detected-at 03:02 --by on-call
  muster recover corruption payymo --before 2026-03-01T02:59:40Z --yes --no-watch --json`,
    )
    .action(async (scenario: string, systems: readonly string[], options: TogetherOptions) => {
      const [system, second] = systems;
      if (options.all === true || second !== undefined) {
        const { recoverTogether } = await import('../recovering-together.js');
        return recoverTogether(context, scenario, systems, options);
      }
      if (system === undefined) {
        const { recoverBySymptoms } = await import('../recovering-by-symptoms.js');
        return recoverBySymptoms(context, scenario, options);
      }
      const { recover } = await import('../recovering.js');
      return recover(context, scenario, system, options);
    });
};
