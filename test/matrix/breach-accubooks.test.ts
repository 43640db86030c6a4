/** Somebody was in: the newest archive that holds nothing of the intruder, read from the locked copy as it was before them, takes over. */
import { breachOfWorld } from './support/breach-world.js';
import { writeAndArchive } from './support/world.js';

breachOfWorld({
  system: 'accubooks',
  table: 'chrona.time_entries',
  approver: 'operations',
  write: writeAndArchive,
});
