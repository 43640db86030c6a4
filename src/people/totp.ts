/**
 * Codes of an authenticator: RFC 6238 over RFC 4226 with what every authenticator program takes by default (SHA-1, 6 digits,
 * 30 s), by the library otpauth. Its versions from 9.5 on need a newer Node than Muster does.
 */
import { createHmac } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { PermanentError } from '../errors.js';

export const STEP_MS = 30_000;
export const DIGITS = 6;
/** Steps before and after the current one whose codes count: clocks differ, and people take a moment (RFC 6238, 5.2). */
const WINDOW = 1;
/** RFC 4226, R6. */
const LEAST_BYTES = 16;
const NEW_BYTES = 20;

export class Authenticator {
  private readonly totp: TOTP;

  /**
   * @param secret Base32 (RFC 4648); spaces, dashes and small letters are taken as authenticators show them
   * @param origin how the secret is called outside, for the error
   * @throws PermanentError `SecretUnfit` when it is not Base32 or shorter than 128 bits; the value is not repeated
   */
  constructor(secret: string, origin: string) {
    const text = secret.replace(/[\s-]|=+$/g, '').toUpperCase();
    const bytes = /^[A-Z2-7]+$/.test(text) ? Secret.fromBase32(text) : undefined;
    if (bytes === undefined || bytes.bytes.length < LEAST_BYTES) {
      throw new PermanentError(
        'SecretUnfit',
        `The secret ${origin} is no authenticator's: ${bytes === undefined ? 'it is not Base32' : `it has fewer than ${LEAST_BYTES * 8} bits`}.`,
        {
          next: 'Make another one with "muster people enroll", put it where the reference says, then give the decision again.',
        },
      );
    }
    this.totp = new TOTP({ secret: bytes, algorithm: 'SHA1', digits: DIGITS, period: STEP_MS / 1000 });
  }

  /** The number of the step whose code this is, counted from 1970; undefined for a code of none that counts at `nowMs`. */
  stepOf(code: string, nowMs: number): number | undefined {
    const delta = this.totp.validate({ token: code, timestamp: nowMs, window: WINDOW });
    return delta === null ? undefined : Math.floor(nowMs / STEP_MS) + delta;
  }

  /** What the authenticator shows at a moment. */
  codeAt(ms: number): string {
    return this.totp.generate({ timestamp: ms });
  }

  /** Tells one authenticator from another without telling its secret. */
  get fingerprint(): string {
    return createHmac('sha256', this.totp.secret.bytes)
      .update('muster authenticator')
      .digest('hex')
      .slice(0, 32);
  }

  /** What authenticator programs read from a QR code. Holds the secret. */
  uri(person: string, issuer: string): string {
    return new TOTP({
      issuer,
      label: person,
      secret: this.totp.secret,
      algorithm: 'SHA1',
      digits: DIGITS,
      period: STEP_MS / 1000,
    }).toString();
  }
}

/** A fresh secret of 160 bits, Base32. */
export function newTotpSecret(): string {
  return new Secret({ size: NEW_BYTES }).base32;
}
