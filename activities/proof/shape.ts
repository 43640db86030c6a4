/** A proof as it arrives: typed by somebody in the Temporal UI, perhaps, so nothing of it is taken for granted. */
import { z } from 'zod';
import type { Proof } from '../../src/model/decision.js';
import { DIGITS } from '../../src/people/totp.js';
import { Refused } from './refused.js';

/** Signatures are below 1 KB, those of long RSA keys below 4 KB. */
const LONGEST_SIGNATURE = 16_384;

const shape = z.strictObject({
  at: z.iso.datetime({ offset: true, error: 'at: a time in ISO 8601, such as "2026-03-01T02:59:39.000Z"' }),
  totp: z
    .string('totp: the digits as text, in quotes, such as "012345"')
    .transform((text) => text.replace(/\s/g, ''))
    .pipe(
      z
        .string()
        .regex(new RegExp(`^\\d{${DIGITS}}$`), `totp: the ${DIGITS} digits that the authenticator shows`),
    )
    .optional(),
  signature: z
    .string('signature: text')
    .min(1, 'signature: text')
    .max(LONGEST_SIGNATURE, `signature: at most ${LONGEST_SIGNATURE} characters`)
    .optional(),
});

/** @throws Refused saying which field is wrong and what is allowed; what was given is not repeated */
export function readProof(proof: unknown): Proof {
  const read = shape.safeParse(proof);
  if (read.success) {
    const { at, totp, signature } = read.data;
    return { at, ...(totp === undefined ? {} : { totp }), ...(signature === undefined ? {} : { signature }) };
  }
  const issues = read.error.issues.map((issue) =>
    issue.code === 'unrecognized_keys'
      ? `${issue.keys.length} unknown fields; allowed are at, totp and signature`
      : issue.path.length === 0
        ? 'an object with at, and totp or signature or both'
        : issue.message,
  );
  throw new Refused(`The proof cannot be read. Allowed: ${issues.join('; ')}.`);
}
