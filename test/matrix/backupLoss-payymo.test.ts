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
      expect(of(/^repository-/).map(({ outcome }) => outcome)).toEqual(['not tried', 'not tried']);
      const overwritten = /is invalid, \d+ of/;
      const cutOff = /is incomplete: \S+ has [\d,]+ of [\d,]+ bytes/;
      for (const { says } of of(/^repository-1\//)) expect(says).toMatch(overwritten);
      for (const { says } of of(/^repository-2\//)) expect(says).toMatch(cutOff);
      // What the dead primary had not sent any more decides whether it is the newer one, and tried first.
      const [damaged] = of(/^damaged$/);
      const rows = damaged?.outcome === 'failed' ? damaged.damage[0] : 'block 0 of ledger.untried';
      expect(rows).toMatch(/^block \d+ of ledger\./);
    },
  },
});
