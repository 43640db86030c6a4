/** AccuBooks's server is gone with its disk and the dumps beside it: the newest dump elsewhere is loaded on another one. */
import { labHarm } from '../../lab/commands.js';
import { cell } from './support/cell.js';
import { approvedBy, sworn, worldIsRight, writeAndArchive } from './support/world.js';

cell({
  scenario: 'infrastructureFailure',
  system: 'accubooks',
  lab: { systems: ['accubooks'] },
  strike: async (stage) => {
    const safe = await writeAndArchive(stage);
    const { at } = await labHarm('infrastructure-failure', 'accubooks', { dir: stage.lab.dir });
    return { begin: ['--detected-at', at], safe };
  },
  withoutProof: sworn('the rack is empty, two of us stand before it', 'operations', 'data-owner'),
  approve: approvedBy({ point: 'operations', promote: 'data-owner' }),
  look: worldIsRight({ from: 'west', to: 'recovery', table: 'chrona.time_entries' }),
});
