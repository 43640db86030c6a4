/** The kinds of values that a runbook holds. Each message says what is allowed, in words that follow "allowed:". */
import ms, { type StringValue } from 'ms';
import { z } from 'zod';

/** Pattern -> what is allowed, for messages about fields that are missing or of another kind. */
export const formats = new Map<string, string>();

function format(pattern: RegExp, allowed: string): z.ZodString {
  formats.set(pattern.source, allowed);
  return z.string().regex(pattern, allowed);
}

const LONGEST_MS = 36_525 * 86_400_000;

/** A duration as people write it (`6 h`, `5 min`, `30 s`), held in milliseconds. */
export const duration = format(
  /^\d{1,9}(\.\d{1,3})? ?(ms|s|min|h|d)$/,
  'a duration: a number and one of ms, s, min, h, d, such as "5 min"',
)
  .transform((text) => ms(text.replace(/\s*min$/, ' minutes') as StringValue))
  .refine((durationMs) => durationMs <= LONGEST_MS, 'a duration of at most 100 years')
  .describe('A duration: a number and one of ms, s, min, h, d, for instance "5 min".');

export const name = format(
  /^[a-z][a-z0-9-]{0,62}$/,
  'a kebab-case name: a lower-case letter, then lower-case letters, digits and dashes',
);

export const scenarioName = format(
  /^[a-z][A-Za-z0-9]{0,62}$/,
  'the name of a scenario: a lower-case letter, then letters and digits',
);

export const text = z.string().min(1);
export const port = z.number().int().min(1).max(65535);
export const absolutePath = format(/^\/[^\0]*$/, 'an absolute path, beginning with /');

/** Without a login in it: that would be a secret in the open. */
export const endpoint = format(
  /^https?:\/\/[^\s/@]+(\/[^\s@]*)?$/,
  'a URL that begins with http:// or https:// and holds no login',
);

/** Letters, digits and dashes between dots; an underscore may begin a label. A final dot is left out. */
export const dnsName = format(
  /^_?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\._?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/,
  'a DNS name, without a final dot',
);

export const hostAndPort = format(/^[^\s:@/]+:\d{1,5}$/, 'host:port');
export const seconds = z.number().int().min(1).max(86400);
export const httpPath = format(/^\/\S*$/, 'a path that begins with /');
export const identifier = format(
  /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
  'an SQL identifier: letters, digits and _, not quoted',
);
export const tableName = format(
  /^[A-Za-z_][A-Za-z0-9_]{0,62}\.[A-Za-z_][A-Za-z0-9_]{0,62}$/,
  'schema.table, not quoted',
);

/** A secret is never written into a runbook: it is named, and read where it is used. */
export const secretRef = format(
  /^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/[^\0]+)$/,
  'a reference to a secret: env:NAME or file:/absolute/path',
).describe('A reference to a secret: env:NAME or file:/absolute/path. Never the secret itself.');

/** Where a secret is going to be: Muster writes it there. */
export const secretFile = format(
  /^file:\/[^\0]+$/,
  'where a new secret is written: file:/absolute/path',
).describe('Where a new secret is written: file:/absolute/path. Never the secret itself.');

export const publicKey = format(
  /^(ssh-(ed25519|rsa) [A-Za-z0-9+/=]+|ecdsa-sha2-nistp(256|384|521) [A-Za-z0-9+/=]+|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com [A-Za-z0-9+/=]+)( .*)?$|^-----BEGIN PUBLIC KEY-----[\sA-Za-z0-9+/=]+-----END PUBLIC KEY-----\s*$/,
  'a public key: a line of OpenSSH, or PEM of an Ed25519 key',
).describe('A public key: a line of OpenSSH (ssh-ed25519 AAAA...), or PEM of an Ed25519 key.');

/** PEM of an Ed25519 key (RFC 8410). */
export const ed25519PublicKey = format(
  /^-----BEGIN PUBLIC KEY-----[\sA-Za-z0-9+/=]+-----END PUBLIC KEY-----\s*$/,
  'an Ed25519 public key in PEM, from -----BEGIN PUBLIC KEY----- on',
);

export const ageRecipient = format(
  /^age1[02-9ac-hj-np-z]{58}$/,
  'a public key of age: age1 and 58 characters',
);

export const objectPrefix = format(
  /^([^\s/]+\/)*$/,
  'empty, or names that each end with /, such as "dumps/daily/"',
);

/** What fails together. `us-west-2/us-west-2a` lies in `us-west-2`. */
export const failureDomain = format(
  /^[^\s/]+(\/[^\s/]+)*$/,
  'names from the widest to the narrowest, separated by /, such as us-west-2/us-west-2a',
).describe(
  'What fails together, from the widest to the narrowest: "us-west-2/us-west-2a" lies in "us-west-2".',
);
