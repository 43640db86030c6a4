/** AccuBooks's hours since the dump come back from the quarantine; an entry whose amount was altered is listed. */
import { salvageCell } from './support/salvage.js';
import { writeAndArchive } from './support/world.js';

salvageCell({
  system: 'accubooks',
  table: 'chrona.time_entries',
  dataClass: 'time-entries',
  people: { point: 'operations', promote: 'data-owner', salvage: 'operations' },
  prepare: writeAndArchive,
  spoil: `update chrona.time_entries set amount_cents = amount_cents + 7
    where id = (select id from chrona.time_entries order by at desc offset 4 limit 1) returning id`,
  because: 'it does not cost its minutes at the rate of its project',
});
