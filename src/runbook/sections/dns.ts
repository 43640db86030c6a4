/** The records that lead applications. */
import { z } from 'zod';
import { dnsName, endpoint, hostAndPort, name, seconds, secretRef, text } from '../fields.js';

/** What every DNS record has, whoever is its zone's authority. */
const recordFields = {
  name: text.describe('The name by which applications find the database'),
  type: z.enum(['A', 'AAAA', 'CNAME']),
  ttl: seconds.describe('Seconds, in normal operation'),
  recoveryTtl: seconds.describe('Seconds, during a recovery'),
  values: z.record(name, z.array(text).min(1)).describe('Site -> the values that lead there'),
  resolvers: z.array(hostAndPort).min(1).describe('Resolvers that must give the new answer'),
};

export const route53Record = z.strictObject({
  driver: z.literal('route53'),
  zoneId: text,
  ...recordFields,
  routing: z
    .strictObject({
      policy: z.enum(['weighted', 'failover']),
      sets: z.record(name, text).describe('Site -> the identifier of its record set'),
      weight: z.number().int().min(1).max(255).default(100).describe('Weight of the set that leads'),
    })
    .optional()
    .describe(
      'Left out: one plain record. Else each site has a set of its own, and a cutover changes which one leads',
    ),
  endpoint: endpoint.optional().describe('Left out for Amazon Route 53'),
  region: text.default('us-east-1'),
  accessKeyId: secretRef.optional().describe('A reference. Left out: the default credential chain'),
  secretAccessKey: secretRef.optional(),
});

export const rfc2136Record = z.strictObject({
  driver: z.literal('rfc2136').describe('A server that takes dynamic updates signed with TSIG'),
  zone: dnsName.describe('The zone that holds the name'),
  ...recordFields,
  server: hostAndPort.describe('The primary server of the zone: it is read and changed there'),
  secondaries: z
    .array(hostAndPort)
    .default([])
    .describe('Servers that copy the zone from it and must serve the change as well'),
  key: z
    .strictObject({
      name: dnsName,
      algorithm: z.enum(['hmac-sha256', 'hmac-sha384', 'hmac-sha512']).default('hmac-sha256'),
      secret: secretRef.describe('The shared key in Base64, by reference'),
    })
    .describe('Signs updates (TSIG)'),
});

export const dnsRecord = z.discriminatedUnion('driver', [route53Record, rfc2136Record]);
