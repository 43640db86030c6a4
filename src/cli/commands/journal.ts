/** `muster journal`: what was recorded of a run, and whether it still is what was recorded. */
import type { Register } from '../context.js';

interface ShowOptions {
  readonly facts?: boolean;
}

interface VerifyOptions {
  readonly report?: string;
  readonly key?: string;
}

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
    .addHelpText(
      'after',
      `
Examples:
  muster journal show payymo --facts
  muster journal show latest --json`,
    )
    .action(async (run: string, options: ShowOptions) => {
      const { showJournal } = await import('../journaling.js');
      await showJournal(context, run, options.facts === true);
    });
  journal
    .command('verify')
    .description('is every entry there, unaltered, in its place? Names each one that is not')
    .argument('<run>', RUN)
    .option(
      '--report <folder>',
      "the run's signed report, which names the journal's end (default: the one here)",
    )
    .option('--key <file>', 'the public key (PEM) of the report as you have it from elsewhere')
    .addHelpText(
      'after',
      `
Exit codes: 0 whole, 1 altered or incomplete, 2 bad input.

Examples:
  muster journal verify payymo
  muster journal verify payymo --report ./evidence --key muster.pub.pem`,
    )
    .action(async (run: string, options: VerifyOptions) => {
      const { checkJournal } = await import('../journaling.js');
      await checkJournal(context, run, options);
    });
};
