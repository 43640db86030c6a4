/** A bad import goes into SpendSync's budgets, and nobody can say since when: they come back, and no expense waits or is lost. */
import { tablesCell } from './support/tables.js';
import { writeAndArchiveWal } from './support/world.js';

tablesCell({
  system: 'spendsync',
  table: 'spend.budgets',
  records: 'spend.expenses',
  columns: ['member_id', 'month', 'limit_cents'],
  approver: 'on-call',
  prepare: writeAndArchiveWal,
  moment: 'searched',
  hit: 'changed',
});
