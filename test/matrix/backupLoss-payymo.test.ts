/** Every backup is damaged, and so is the primary's disk: the standby is what is left, and it is found. */
import type { CopyFound } from '../../activities/contract.js';
import { breakBackups } from '../../lab/break/backup-loss.js';
import { payAndArchive } from '../support/payments.js';
import { cell } from './support/cell.js';
import { labNow, ledgerIsRight } from './support/ledger.js';

cell({
  scenario: 'backupLoss',
  system: 'payymo',
  lab: { standby: 'raised' },
  strike: async (stage) => {
    const safe = new Set(await payAndArchive(stage.lab, stage.incident));
    const { at } = await breakBackups(await labNow(stage), 'standby');
    return { begin: ['--detected-at', at], safe };
  },
  look: ledgerIsRight({ from: 'west', to: 'recovery' }),
  also: {
    'says what was wrong with every other copy': async ({ result }) => {
      const { id, tried } = result.outputs['try-copies'] as CopyFound;
      expect(id).toBe('standby');
      const of = (name: RegExp) => tried.filter((one) => name.test(one.id));
      expect(of(/^repository-1\//).map(({ outcome }) => outcome)).toEqual(['not tried']);
      expect(of(/^repository-/).map(({ says }) => says)).toEqual(
        of(/^repository-/).map(() => expect.stringMatching(/is invalid, \d+ of/)),
      );
      const [damaged] = of(/^damaged$/);
      expect(damaged?.outcome).toBe('failed');
      expect(damaged?.damage[0]).toMatch(/^block \d+ of ledger\./);
    },
  },
});
