/** `muster report`: the evidence of a run, and whether it is still what was signed. */
import { type CliContext, exitCodes, type Register } from '../context.js';

interface FetchOptions {
  readonly out?: string;
}

interface VerifyOptions {
  readonly key?: string;
}

export const register: Register = (program, context) => {
  const report = program
    .command('report')
    .description('the signed report of a run: what happened, how long it took, what was lost, who decided')
    .argument('<run>', 'the id of a run, a system (its newest report), or "latest"')
    .option('--out <folder>', 'write the files there: page, JSON, signatures, public key')
    .addHelpText(
      'after',
      `
Examples:
  muster report latest                     how the last run ended, and where its report lies
  muster report payymo --out ./evidence    the newest report of payymo, to hand on
  muster report verify ./evidence          is it what was signed?`,
    )
    .action(async (run: string, options: FetchOptions) => {
      const { showReport } = await import('../reporting.js');
      await showReport(context, run, options.out);
    });
  report
    .command('verify')
    .description('check the signatures and hashes of a report')
    .argument('<path>', 'the folder of a report, or its report.json or report.html')
    .option('--key <file>', 'the public key (PEM) as you have it from elsewhere: only that proves who signed')
    .addHelpText(
      'after',
      `
Exit codes: 0 it is what was signed, 1 it is not, 2 there is nothing to check or no key.

Examples:
  muster report verify ./evidence --key muster.pub.pem
  muster report verify ./evidence/report.json --json`,
    )
    .action(async (path: string, options: VerifyOptions) => verify(context, path, options.key));
};

async function verify(context: CliContext, path: string, key: string | undefined): Promise<void> {
  const { resolve } = await import('node:path');
  const { verifyReport } = await import('../../evidence/verify.js');
  const { renderReportVerdict } = await import('../render/evidence.js');
  const { cwd } = context.world;
  const verdict = await verifyReport(resolve(cwd, path), key === undefined ? undefined : resolve(cwd, key));
  context.out.result(verdict, (colors) => renderReportVerdict(verdict, colors, context.out.width));
  context.finishWith(verdict.ok ? exitCodes.done : exitCodes.failed);
}
