/** AccuBooks runs in the other region since the west was lost; the west is back, and its last state is dumped, loaded there and compared. */
import { regainStore } from '../../lab/break/regional-loss.js';
import { labUp } from '../../lab/commands.js';
import { layoutOf } from '../../lab/layout.js';
import { homecoming } from './support/homecoming.js';
import { sworn, writeAndArchive } from './support/world.js';

homecoming({
  system: 'accubooks',
  moved: { harm: 'regional-loss', scenario: 'regionalLoss', to: 'east' },
  prepare: writeAndArchive,
  people: { point: 'operations', promote: 'data-owner', switchover: 'data-owner' },
  withoutProof: sworn('the whole region is dark, and its operator says so', 'operations', 'data-owner'),
  mend: async ({ lab: { dir } }) => {
    await regainStore(layoutOf(dir), 'west');
    await labUp({ dir });
  },
  table: 'chrona.time_entries',
  leaves: 'nothing',
  withoutWritesMs: 120_000,
});
