/** Every backup of Practice Hub is damaged, and so is the primary's disk: the standby is what is left, and it is found. */
import type { CopyFound } from '../../activities/contract.js';
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, worldIsRight, writeAndArchiveWal } from './support/world.js';

cell({
  scenario: 'backupLoss',
  system: 'practice-hub',
  lab: { systems: ['practice-hub'], standby: 'raised' },
  strike: async (stage) => {
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('backup-loss', 'practice-hub', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe };
  },
  approve: approvedBy({ point: 'on-call', promote: 'technical-lead' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'hub.clients' }),
  also: {
    'says what was wrong with every backup': async ({ result }) => {
      const { id, tried } = result.outputs['try-copies'] as CopyFound;
      expect(id).toBe('standby');
      const of = (name: RegExp) => tried.filter((one) => name.test(one.id));
      expect(of(/^repository-/).map(({ outcome }) => outcome)).toEqual(['not tried', 'not tried']);
      expect(of(/^repository-1\//)[0]?.says).toMatch(/is invalid, \d+ of/);
      expect(of(/^repository-2\//)[0]?.says).toMatch(/is incomplete: \S+ has [\d,]+ of [\d,]+ bytes/);
    },
  },
});
