/** `muster journal`: what was recorded of a run, and whether it still is what was recorded. */
import type { Register } from '../context.js';
import type { ShowOptions, VerifyOptions } from '../journaling.js';

const RUN = 'the id of a run, a system (its newest run), or "latest"';

export const register: Register = (program, context) => {
  const journal = program
    .command('journal')
    .description('the append-only record of a run: every transition and decision')
    .addHelpText(
      'after',
      `
Examples:
  muster journal show payymo
  muster journal verify payymo`,
    );
  journal
    .command('show')
    .description('the entries of a run, in the order in which they were written')
    .argument('<run>', RUN)
    .option('--facts', 'with what was shown to those who decided')
    .option('--anchor-only', 'from the anchors, when the store is gone')
    .addHelpText(
      'after',
      `
Examples:
  muster journal show payymo --facts
  muster journal show latest --json
  muster journal show payymo --anchor-only`,
    )
    .action(async (run: string, options: ShowOptions) => {
      const { showJournal } = await import('../journaling.js');
      await showJournal(context, run, options);
    });
  journal
    .command('verify')
    .description('is every entry there, unaltered, in its place? Names each one that is not')
    .argument('<run>', RUN)
    .option(
      '--report <folder>',
      "the run's signed report, which names the journal's end (default: the one here)",
    )
    .option('--key <file>', 'the public key (PEM) of anchors and report as you have it from elsewhere')
    .option('--anchor-only', 'check what is anchored, when the store is gone')
    .option('--store-only', 'do not ask for the anchors')
    .addHelpText(
      'after',
      `
Exit codes: 0 whole, 1 altered or incomplete, 2 bad input.

Examples:
  muster journal verify payymo
  muster journal verify payymo --key muster.pub.pem
  muster journal verify payymo --anchor-only`,
    )
    .action(async (run: string, options: VerifyOptions) => {
      const { checkJournal } = await import('../journaling.js');
      await checkJournal(context, run, options);
    });
};
