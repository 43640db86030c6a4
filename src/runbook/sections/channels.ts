/** Who is told what happens. */
import { z } from 'zod';
import { noticeKinds } from '../../model/notice.js';
import { absolutePath, endpoint, port, secretRef, text } from '../fields.js';

const events = z.array(z.enum(noticeKinds)).min(1).optional().describe('Only these; left out: all of them');

/** A place that is told what happens. Addresses that hold a token are secrets: they are given by reference. */
export const channel = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('slack'),
    url: secretRef.describe('Incoming webhook of Slack, or of what understands the same'),
    events,
  }),
  z.strictObject({
    driver: z.literal('webhook'),
    url: endpoint,
    secret: secretRef.describe('Signs each request with HMAC-SHA256 (Standard Webhooks)'),
    caFile: absolutePath.optional(),
    events,
  }),
  z.strictObject({
    driver: z.literal('smtp'),
    host: text,
    port,
    security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
    from: text,
    to: z.array(text).default([]).describe('Besides the `mailto:` contacts of whom a notice is for'),
    user: text.optional(),
    password: secretRef.optional(),
    caFile: absolutePath.optional(),
    events,
  }),
  z.strictObject({
    driver: z.literal('pagerduty'),
    routingKey: secretRef,
    endpoint: endpoint.default('https://events.pagerduty.com/v2/enqueue'),
    events,
  }),
]);
