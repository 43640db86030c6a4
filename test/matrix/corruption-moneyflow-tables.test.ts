/** A bad import goes into MoneyFlow's invoices: they come back from the newest dump before it, and invoices go on being posted. */
import { tablesCell } from './support/tables.js';
import { writeAndArchive } from './support/world.js';

tablesCell({
  system: 'moneyflow',
  table: 'books.invoices',
  records: 'books.invoices',
  columns: ['id', 'number', 'customer_id', 'amount_cents', 'at'],
  approver: 'on-call-dba',
  prepare: writeAndArchive,
  moment: 'told',
  hit: 'changed',
});
