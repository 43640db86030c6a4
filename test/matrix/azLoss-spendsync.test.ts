/** The zone of SpendSync's primary is lost: its standby in another one takes over. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, worldIsRight, writeAndArchiveWal } from './support/world.js';

cell({
  scenario: 'azLoss',
  system: 'spendsync',
  lab: { systems: ['spendsync'], standby: 'raised' },
  strike: async (stage) => {
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('az-loss', 'spendsync', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe };
  },
  approve: approvedBy({ failover: 'on-call', promote: 'engineering-lead' }),
  look: worldIsRight({ from: 'west', to: 'standby', table: 'spend.expenses' }),
});
