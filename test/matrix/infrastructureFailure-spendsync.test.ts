/** SpendSync's server is gone with its disk: all that was archived comes back on another one. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, writeAndArchiveWal } from './support/world.js';

cell({
  scenario: 'infrastructureFailure',
  system: 'spendsync',
  lab: { systems: ['spendsync'] },
  strike: async (stage) => {
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('infrastructure-failure', 'spendsync', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the rack is empty, two of us stand before it', 'on-call', 'engineering-lead'),
  approve: approvedBy({ point: 'on-call', promote: 'engineering-lead' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'spend.expenses' }),
});
