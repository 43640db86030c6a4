/** `muster bundle`: everything for a recovery without Muster's own site, in one signed file. */
import { exitCodes, type Register } from '../context.js';

export const register: Register = (program, context) => {
  const bundle = program
    .command('bundle')
    .description(
      "everything a laptop needs to recover a system without Muster's own site, in one signed file",
    )
    .argument('<system>', 'a system, as its runbook is named')
    .option('--to <file>', 'where it goes (default: <system>-<date>.muster.tar.gz here)')
    .option('--source <where>', 'where Muster itself is had from, for people (default: MUSTER_SOURCE)')
    .addHelpText(
      'after',
      `
It holds the runbook, plans, printed runbooks with commands, roster, where the
backups are, and which secrets are needed, by reference: no secret is ever inside.
It is signed with MUSTER_SIGNING_KEY; tar, sha256sum and openssl open and check it.

Examples:
  muster bundle payymo --source "https://git.example.com/muster, tag v0.1.0"
  muster bundle verify payymo-2026-11-21.muster.tar.gz --key muster.pub.pem
  muster bundle open payymo-2026-11-21.muster.tar.gz ./payymo`,
    )
    .action(async (system: string, options: { to?: string; source?: string }) => {
      const { writeBundle } = await import('../bundling.js');
      const { renderWritten } = await import('../render/bundle.js');
      const written = await writeBundle(context, system, options);
      context.out.result(written, (colors) => renderWritten(written, colors));
    });
  bundle
    .command('verify')
    .description('is it what was signed?')
    .argument('<file>', 'a bundle')
    .option('--key <file>', 'the public key (PEM) as you have it from elsewhere: only that proves who signed')
    .addHelpText(
      'after',
      `
Exit codes: 0 it is what was signed, 1 it is not, 2 there is nothing to check.

Examples:
  muster bundle verify payymo-2026-11-21.muster.tar.gz --key muster.pub.pem`,
    )
    .action(async (file: string, { key }: { key?: string }) => {
      const { verifyBundle } = await import('../bundling.js');
      const { renderVerdict } = await import('../render/bundle.js');
      const { verdict } = await verifyBundle(context, file, key);
      context.out.result(verdict, (colors) => renderVerdict(verdict, colors));
      context.finishWith(verdict.ok ? exitCodes.done : exitCodes.failed);
    });
  bundle
    .command('open')
    .description('unpack a bundle that is what was signed, and say which secrets are still to be filled')
    .argument('<file>', 'a bundle')
    .argument('<folder>', 'where it goes: a folder that is empty or does not exist')
    .option('--key <file>', 'the public key (PEM) as you have it from elsewhere')
    .addHelpText(
      'after',
      `
Examples:
  muster bundle open payymo-2026-11-21.muster.tar.gz ./payymo --key muster.pub.pem`,
    )
    .action(async (file: string, folder: string, { key }: { key?: string }) => {
      const { openBundle } = await import('../bundling.js');
      const { renderOpened } = await import('../render/bundle.js');
      const opened = await openBundle(context, file, folder, key);
      context.out.result(opened, (colors) => renderOpened(opened, colors));
    });
};
