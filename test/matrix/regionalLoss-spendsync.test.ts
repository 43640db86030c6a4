/** The region of SpendSync's primary is lost: the other region from its own copies only. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, writeAndArchiveWal } from './support/world.js';

cell({
  scenario: 'regionalLoss',
  system: 'spendsync',
  lab: { systems: ['spendsync'] },
  strike: async (stage) => {
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('regional-loss', 'spendsync', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the region is gone, nobody reaches anything there', 'on-call', 'engineering-lead'),
  approve: approvedBy({ point: 'on-call', promote: 'engineering-lead' }),
  look: worldIsRight({ from: 'west', to: 'east', table: 'spend.expenses' }),
});
