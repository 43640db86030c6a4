/** Codes of authenticators: right, not guessed, and never used before. */
import { MusterError, PermanentError } from '../../src/errors.js';
import { formatTimeOfDay } from '../../src/model/format.js';
import { Authenticator } from '../../src/people/totp.js';
import { resolveSecret } from '../../src/secrets.js';
import type { CodeUse, EarlierUse } from '../../src/store/codes.js';
import { Refused } from './refused.js';

/** Somebody who may ask the run anything could try all codes: RFC 4226, 7.3 demands a limit. */
export const WRONG_CODES_ALLOWED = 10;
export const WRONG_CODES_WITHIN_MS = 10 * 60_000;

/** Asks the store; throws where it cannot be asked. */
export type ClaimCode = (use: CodeUse) => Promise<EarlierUse | undefined>;

export interface JudgedCode {
  readonly counter: number;
  /** What could not be looked at, in words. */
  readonly unchecked?: string;
}

interface GivenCode extends Omit<CodeUse, 'authenticator' | 'counter'> {
  readonly code: string;
  /** Reference to the authenticator's secret. */
  readonly secret: string;
  readonly nowMs: number;
}

export class Codes {
  /** Times of wrong codes an authenticator. Of this process only: another worker begins to count anew. */
  private readonly wrong = new Map<string, number[]>();

  constructor(private readonly claim: ClaimCode) {}

  /**
   * @throws Refused for a wrong or used code, and once too many were wrong
   * @throws PermanentError `SecretMissing`, `SecretUnfit`
   */
  async judge({ code, secret, nowMs, ...use }: GivenCode): Promise<JudgedCode> {
    const authenticator = new Authenticator(await secretOf(secret, use.person), secret);
    const { fingerprint } = authenticator;
    const recent = (this.wrong.get(fingerprint) ?? []).filter((at) => nowMs - at < WRONG_CODES_WITHIN_MS);
    const [first] = recent;
    if (first !== undefined && recent.length >= WRONG_CODES_ALLOWED) {
      throw new Refused(
        `${recent.length} wrong codes were given in the name of ${use.person}: no code of theirs is taken before ${timeOfDay(first + WRONG_CODES_WITHIN_MS)}. Find out who gave them; meanwhile somebody else has to decide.`,
      );
    }
    const counter = authenticator.stepOf(code, nowMs);
    if (counter === undefined) {
      this.wrong.set(fingerprint, [...recent, nowMs]);
      throw new Refused(
        `The code is not one that ${use.person}'s authenticator shows now (${timeOfDay(nowMs)} by the worker's clock), or it is over a minute old. Send the one it shows now; if that is refused too, set the clock of the device.`,
      );
    }
    this.wrong.delete(fingerprint);
    return this.claimed({ ...use, authenticator: fingerprint, counter });
  }

  private async claimed(use: CodeUse): Promise<JudgedCode> {
    let earlier: EarlierUse | undefined;
    try {
      earlier = await this.claim(use);
    } catch (error) {
      // The store never holds a recovery up: within the run the run itself refuses a second use.
      const why = error instanceof MusterError ? error.code : 'an error';
      return {
        counter: use.counter,
        unchecked: `whether the code was used in another run is not known (${why})`,
      };
    }
    if (earlier === undefined) return { counter: use.counter };
    const where =
      earlier.runId === use.runId ? 'in this run' : `in the run ${earlier.runId} of ${earlier.system}`;
    throw new Refused(
      `This code was used at ${timeOfDay(earlier.usedAt)} already, ${where}. Wait until the authenticator shows the next one, then send the decision with that.`,
    );
  }
}

async function secretOf(reference: string, person: string): Promise<string> {
  try {
    return await resolveSecret(reference);
  } catch (error) {
    if (!(error instanceof PermanentError)) throw error;
    throw new PermanentError(error.code, `The code of ${person} cannot be checked. ${error.message}`, {
      next: `Provide ${reference} where the worker runs, then give the decision again. Meanwhile somebody else can decide.`,
      cause: error,
    });
  }
}

function timeOfDay(moment: number | string): string {
  return formatTimeOfDay(new Date(moment).toISOString());
}
