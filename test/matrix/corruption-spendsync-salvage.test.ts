/** SpendSync's expenses after the point come back from the log; one that its audit knows no more is listed. */
import { salvageCell } from './support/salvage.js';
import { writeAndArchiveWal } from './support/world.js';

salvageCell({
  system: 'spendsync',
  table: 'spend.expenses',
  dataClass: 'expenses',
  people: { point: 'on-call', promote: 'engineering-lead', salvage: 'on-call' },
  prepare: writeAndArchiveWal,
  spoil: `delete from spend.audit
    where expense_id = (select id from spend.expenses order by at desc offset 4 limit 1) returning expense_id as id`,
  because: 'the audit does not say that it was entered',
});
