import { createHash } from 'node:crypto';
import { TransientError } from '../../src/errors.js';
import type { Proof, ProofMethod } from '../../src/model/decision.js';
import { formatDuration, formatTimeOfDay } from '../../src/model/format.js';
import { demandedInWords, demandedProof } from '../../src/people/demanded.js';
import { publicKeysOf } from '../../src/people/keys.js';
import { claimCode } from '../../src/store/codes.js';
import { recorder } from '../../src/store/recorder.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, ProofVerdict } from '../contract.js';
import { type ClaimCode, Codes } from './code.js';
import { Refused, SIGN_AGAIN } from './refused.js';
import { readProof } from './shape.js';
import { judgeSignature } from './signature.js';

/** A proof that is older counts no more: what was signed long ago may not be what is meant now. */
export const OLDEST_MS = 5 * 60_000;
/** How far the sender's clock may be ahead of the worker's. */
export const AHEAD_MS = 60_000;

export interface Surroundings {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly claim: ClaimCode;
}

type Input = Parameters<MusterActivities['verifyProof']>[0];

/**
 * Judges whether a statement is by a person of the roster. What the person needs is said by `demandedProof`. A proof that is
 * missing, wrong, late, malformed or somebody else's is an answer with the reason, for its sender. `used` names each proof:
 * `totp:<person>:<counter>`, `sig:<SHA-256 of the signature>`, and for signatures `statement:<SHA-256 of the statement>`, because
 * some kinds of keys can sign one statement in many ways.
 *
 * @throws PermanentError `SecretMissing`, `SecretUnfit` when the authenticator's secret cannot be used, `ToolMissing` without
 *   ssh-keygen; TransientError `ProofCheckFailed`
 */
export function verifyProof(
  { now, claim }: Surroundings = { now: Date.now, claim: claimInStore },
): MusterActivities['verifyProof'] {
  const codes = new Codes(claim);
  return async (input) => {
    const { person } = input;
    try {
      return await judge(input, codes, now());
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return {
        accepted: false,
        refusal: error.message,
        methods: [],
        used: [],
        summary: `The proof of ${person.name} is not accepted: ${error.message}`,
      };
    }
  };
}

async function judge(input: Input, codes: Codes, nowMs: number): Promise<ProofVerdict> {
  const { at, person, statement, secondFactor } = input;
  const demanded = demandedProof(person, secondFactor);
  if (demanded.impossible !== undefined) {
    throw new Refused(
      `The word of ${person.name} cannot count: ${demanded.impossible}. Somebody else has to decide, or the roster needs one ("muster people enroll"), from the next run on.`,
    );
  }
  if (!demanded.signature && !demanded.code) {
    return {
      accepted: true,
      methods: [],
      used: [],
      summary: `The roster asks ${person.name} for no proof.`,
    };
  }
  if (input.proof === undefined || input.proof === null) {
    throw new Refused(`${person.name} needs ${demandedInWords(demanded)}. ${howTo(demanded.signature)}`);
  }
  const proof = readProof(input.proof);
  requireInTime(proof, nowMs);
  const opening = requireFits(statement, input.proof.at, person.name, at.runId);
  if (demanded.signature && proof.signature === undefined) {
    throw new Refused(`A signature of ${person.name} is missing. ${howTo(true)}`);
  }
  if (demanded.code && proof.totp === undefined) {
    throw new Refused(
      `A code of ${person.name}'s authenticator is missing. Send the one it shows now, as totp.`,
    );
  }

  const methods: ProofMethod[] = [];
  const used: string[] = [];
  const statementSha256 = createHash('sha256').update(statement).digest('hex');
  // The signature first: a code is used up by looking at it.
  if (demanded.signature && proof.signature !== undefined) {
    const keys = publicKeysOf(person.proofs?.keys ?? []);
    const { signature } = proof;
    const judged = await judgeSignature({
      person: person.name,
      keys,
      statement,
      signature,
      signal: activitySignal(),
    });
    methods.push(judged.method);
    used.push(`sig:${judged.sha256}`, `statement:${statementSha256}`);
  }
  let unchecked: string | undefined;
  const secret = person.proofs?.totp;
  // A code that nobody asked for is looked at all the same: a wrong one tells that something is amiss.
  if (proof.totp !== undefined && secret !== undefined) {
    const use = { person: person.name, system: at.system, runId: at.runId, opening, statementSha256 };
    const judged = await codes.judge({ ...use, code: proof.totp, secret, nowMs });
    methods.push('totp');
    used.push(`totp:${person.name}:${judged.counter}`);
    unchecked = judged.unchecked;
  }
  const words = methods.map((method) => NAMES[method]).join(' and ');
  const summary = `${person.name} has proven it by ${words}${unchecked === undefined ? '' : `; ${unchecked}`}.`;
  return { accepted: true, methods, used, summary };
}

const NAMES: Readonly<Record<ProofMethod, string>> = {
  totp: 'a code of the authenticator',
  ed25519: 'an Ed25519 signature',
  ssh: 'an SSH signature',
};

function howTo(signature: boolean): string {
  return signature
    ? `Decide with "muster" and --key, or sign by hand: ${SIGN_AGAIN}.`
    : 'Decide with "muster" and --totp, or send "proof": {"at": now, "totp": the digits it shows}.';
}

function requireInTime({ at }: Proof, nowMs: number): void {
  const ageMs = nowMs - Date.parse(at);
  const made = `The proof says that it was made at ${formatTimeOfDay(new Date(at).toISOString())}`;
  const clock = `the worker's clock shows ${formatTimeOfDay(new Date(nowMs).toISOString())}`;
  if (ageMs > OLDEST_MS) {
    throw new Refused(
      `${made}, and ${clock}: it is too late, ${formatDuration(OLDEST_MS)} at most may lie between. Make a new one and send it at once.`,
    );
  }
  if (ageMs < -AHEAD_MS) {
    throw new Refused(
      `${made}, and ${clock}: it lies in the future. Set the clock of the machine that made it, then make a new one.`,
    );
  }
}

/** The statement is of this proof, person and run. @returns its opening */
function requireFits(statement: string, at: string, person: string, runId: string): string {
  const said = parsed(statement);
  const wrong =
    said === undefined || said.muster !== 'decision' || said.version !== 1
      ? 'it is no decision'
      : said.by !== person
        ? 'it is by somebody else'
        : said.runId !== runId
          ? 'it is for another run'
          : said.at !== at
            ? 'its time is not that of the proof'
            : undefined;
  if (wrong !== undefined || said === undefined) {
    throw new Refused(`The statement is not the one to prove: ${wrong}. ${SIGN_AGAIN}.`);
  }
  return typeof said.opening === 'string' ? said.opening : '';
}

function parsed(statement: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(statement);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

async function claimInStore(use: Parameters<ClaimCode>[0]): ReturnType<ClaimCode> {
  const store = recorder().reachableStore;
  if (store === undefined) {
    throw new TransientError('StoreUnreachable', 'There is no store to ask.', {
      next: 'See whether it runs.',
    });
  }
  return claimCode(store, use);
}
