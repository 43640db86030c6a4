/** A bad import deletes steps of AccuBooks's workflow: they come back from the newest dump before it, and hours go on being entered. */
import { tablesCell } from './support/tables.js';
import { writeAndArchive } from './support/world.js';

tablesCell({
  system: 'accubooks',
  table: 'chrona.steps',
  records: 'chrona.time_entries',
  columns: ['id', 'entry_id', 'state', 'at'],
  approver: 'operations',
  prepare: writeAndArchive,
  moment: 'told',
  hit: 'missing',
});
