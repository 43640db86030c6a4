/** Somebody was in: a copy with pgBackRest from the locked repository at the other provider takes over. */
import { breachOfWorld } from './support/breach-world.js';
import { writeAndArchiveWal } from './support/world.js';

breachOfWorld({
  system: 'practice-hub',
  table: 'hub.clients',
  approver: 'on-call',
  write: writeAndArchiveWal,
});
