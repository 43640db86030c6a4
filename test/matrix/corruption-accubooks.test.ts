/** A bad change damages AccuBooks's data: back to the newest dump from before it. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, moreAcknowledged, worldIsRight, worldNow, writeAndArchive } from './support/world.js';

cell({
  scenario: 'corruption',
  system: 'accubooks',
  lab: { systems: ['accubooks'] },
  strike: async (stage) => {
    const safe = await writeAndArchive(stage);
    const { at } = await labHarm('corruption', 'accubooks', { dir: stage.lab.dir });
    await moreAcknowledged(await worldNow(stage), 3);
    return { begin: ['--before', at], safe };
  },
  approve: approvedBy({ point: 'operations', promote: 'data-owner' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'chrona.time_entries' }),
});
