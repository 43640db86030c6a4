/** Somebody was in: a copy with pgBackRest from the locked repository takes over. */
import { breachOfWorld } from './support/breach-world.js';
import { writeAndArchiveWal } from './support/world.js';

breachOfWorld({
  system: 'spendsync',
  table: 'spend.expenses',
  approver: 'on-call',
  write: writeAndArchiveWal,
});
