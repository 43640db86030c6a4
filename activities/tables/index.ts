/** Chosen tables brought back while the rest of the database stays live. */
import type { MusterActivities } from '../contract.js';
import { returnTables } from './kept.js';
import { replaceTables } from './replace.js';
import { endTables, takeTables } from './take.js';

export function tablesActivities(): Pick<
  MusterActivities,
  'takeTables' | 'endTables' | 'replaceTables' | 'returnTables'
> {
  return { takeTables, endTables, replaceTables, returnTables };
}
