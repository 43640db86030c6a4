/** MoneyFlow's invoices since the dump come back from the quarantine; one whose posting was altered is listed. */
import { salvageCell } from './support/salvage.js';
import { writeAndArchive } from './support/world.js';

salvageCell({
  system: 'moneyflow',
  table: 'books.invoices',
  dataClass: 'invoices',
  people: { point: 'on-call-dba', promote: 'team-lead', salvage: 'on-call-dba' },
  prepare: writeAndArchive,
  spoil: `update books.lines set cents = cents - 1 from books.entries
    where entries.id = entry_id and account = '4000' and entry_id = (select id from books.entries order by id desc offset 4 limit 1)
    returning invoice_id as id`,
  because: 'debit does not equal credit',
});
