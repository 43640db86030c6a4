/** `muster people`: the roster, who can decide what, and new authenticators and keys. */
import type { Register } from '../context.js';
import type { EnrollOptions } from '../enrolling.js';

export const register: Register = (program, context) => {
  const people = program
    .command('people')
    .description('who decides: roles, contacts, proofs, gates; new authenticators and keys')
    .argument('<system>', 'the system whose roster is shown')
    .addHelpText(
      'after',
      `
Examples:
  muster people payymo
  muster people payymo --json
  muster people enroll database-lead --totp`,
    )
    .action(async (system: string) => {
      const { loadSystem } = await import('../../runbook/load.js');
      const { whoDecides } = await import('../../people/who-decides.js');
      const { renderPeople } = await import('../render/people.js');
      const { runbook, file } = await loadSystem((await context.runbooks()).shown, system);
      const roster = whoDecides(runbook);
      context.out.result({ system: runbook.system, file, ...roster }, (colors) =>
        renderPeople(runbook.title, roster, colors, context.out.width),
      );
    });

  people
    .command('enroll')
    .description('a new authenticator or key for a person, and what to write into the runbook')
    .argument('<name>', "the person's name in the runbook")
    .option('--totp', 'an authenticator: its secret and the QR code for it (default)')
    .option('--key', 'an Ed25519 key pair')
    .option('--folder <folder>', 'where the file of the secret goes (default: this folder)')
    .addHelpText(
      'after',
      `
Files are made for their owner alone (mode 0600) and never replaced. The secret of an authenticator goes to where the worker
runs, by the path that the runbook names; a private key stays with its person.

Examples:
  muster people enroll database-lead --totp --folder /etc/muster/secrets
  muster people enroll database-lead --key --folder ~/.muster`,
    )
    .action(async (name: string, options: EnrollOptions) => {
      const { enroll } = await import('../enrolling.js');
      await enroll(context, name, options);
    });
};
