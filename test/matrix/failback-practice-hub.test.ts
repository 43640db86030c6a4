/** Practice Hub runs elsewhere since its server was lost; a new one is at home, and it goes there while clients go on. */
import { homecoming } from './support/homecoming.js';
import { sworn, writeAndArchiveWal } from './support/world.js';

homecoming({
  system: 'practice-hub',
  moved: { harm: 'infrastructure-failure', scenario: 'infrastructureFailure', to: 'recovery' },
  prepare: writeAndArchiveWal,
  people: { point: 'on-call', promote: 'technical-lead', switchover: 'technical-lead' },
  withoutProof: sworn('the rack is empty, two of us stand before it', 'on-call', 'technical-lead'),
  table: 'hub.clients',
  leaves: 'standby',
  withoutWritesMs: 60_000,
});
