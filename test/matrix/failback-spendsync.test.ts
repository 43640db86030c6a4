/** SpendSync's standby has taken over; the zone of its home is back, and it goes home from there while expenses are entered. */
import { homecoming } from './support/homecoming.js';
import { writeAndArchiveWal } from './support/world.js';

homecoming({
  system: 'spendsync',
  lab: { standby: 'raised' },
  moved: { harm: 'az-loss', scenario: 'azLoss', to: 'standby' },
  prepare: writeAndArchiveWal,
  people: { failover: 'on-call', promote: 'engineering-lead', switchover: 'engineering-lead' },
  table: 'spend.expenses',
  leaves: 'standby',
  withoutWritesMs: 60_000,
});
