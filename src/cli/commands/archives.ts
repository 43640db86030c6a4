/** `muster archives`: which archives there are, and which of them can be used. */
import { InputError } from '../../errors.js';
import { exitCodes, type Register } from '../context.js';

export const register: Register = (program, context) => {
  program
    .command('archives')
    .description('list the archives of a system by copy: when, how large, and why one cannot be used')
    .argument('<system>', 'the system, by the name of its runbook')
    .addHelpText(
      'after',
      `
Reads the places themselves from this machine: it needs their keys, neither Temporal nor a private key of the archives. Signature and
sizes are looked at, the parts are not read: muster backup and every recovery do that.

Exit codes: 0 every copy holds an archive that can be used, 1 one does not, 2 bad input.

Examples:
  muster archives moneyflow
  muster archives moneyflow --json`,
    )
    .action(async (system: string) => {
      const { loadSystem } = await import('../../runbook/load.js');
      const { listArchives } = await import('../../../activities/restore/archive-list.js');
      const { archiveLines } = await import('../render/backup.js');
      const { runbook } = await loadSystem((await context.runbooks()).dir, system);
      const kept = Object.entries(runbook.backups).flatMap(([name, backup]) =>
        backup.driver === 'archive' ? [[name, backup] as const] : [],
      );
      if (kept.length === 0) {
        throw new InputError(`${system} is not backed up by archives.`, [
          { field: '<system>', given: system, allowed: 'a system with a backup whose driver is archive' },
        ]);
      }
      const at = { runId: '', system, scenario: '', mode: 'real', step: 'list' } as const;
      const catalogs = Object.fromEntries(
        await Promise.all(
          kept.map(async ([name, backup]) => [name, await listArchives({ at, backup })] as const),
        ),
      );
      const held = Object.values(catalogs).every(({ copies }) =>
        copies.every(({ archives }) => archives.some(({ unusable }) => unusable === null)),
      );
      if (!held) context.finishWith(exitCodes.failed);
      context.out.result(catalogs, () => archiveLines(catalogs));
    });
};
