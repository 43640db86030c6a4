/** Who decides. */
import { z } from 'zod';
import { duration, name } from '../fields.js';

export const gate = z.strictObject({
  roles: z.array(name).min(1).describe('Who may decide: people with one of these roles'),
  approvals: z.number().int().min(1).max(20).default(1).describe('How many different people must approve'),
  from: z
    .enum(['any', 'each'])
    .default('any')
    .describe('`any`: anybody with one of the roles counts; `each`: every role gives one person at least'),
  requester: z
    .enum(['counts', 'does-not-count'])
    .default('counts')
    .describe('Whether the person who began the run may approve'),
  secondFactor: z
    .enum(['none', 'totp'])
    .default('none')
    .describe('`totp`: a code of the authenticator, beside a signature where the person has a key'),
  expires: duration.describe('How long it waits before `atExpiry` happens'),
  atExpiry: z
    .enum(['remind', 'escalate', 'deny', 'proceed'])
    .describe('`proceed` is refused for a promotion'),
  escalateTo: z.array(name).default([]).describe('Roles that may decide as well once it has escalated'),
});
