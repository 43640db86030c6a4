/** A bad change damages SpendSync's data: back to the moment before it. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, moreAcknowledged, worldIsRight, worldNow, writeAndArchiveWal } from './support/world.js';

cell({
  scenario: 'corruption',
  system: 'spendsync',
  lab: { systems: ['spendsync'] },
  strike: async (stage) => {
    const safe = await writeAndArchiveWal(stage);
    const { at } = await labHarm('corruption', 'spendsync', { dir: stage.lab.dir });
    await moreAcknowledged(await worldNow(stage), 3);
    return { begin: ['--before', at], safe };
  },
  approve: approvedBy({ point: 'on-call', promote: 'engineering-lead' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'spend.expenses' }),
});
