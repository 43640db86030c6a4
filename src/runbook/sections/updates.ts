/** How often people outside are told how a recovery stands. */
import { z } from 'zod';
import { duration, name } from '../fields.js';

export const updates = z.strictObject({
  every: duration.describe(
    'From the beginning of a run until the service is back, who commands is reminded this often',
  ),
  channel: name
    .optional()
    .describe('One of `notifications` that reaches people outside; left out: the update is pasted by hand'),
});
