/** What is a good proof, written down a second time: who signed which text, which codes there are, and what was used. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { decisionChoices, type Proof } from '../../src/model/decision.js';
import { Authenticator, newTotpSecret, STEP_MS } from '../../src/people/totp.js';
import type { Person } from '../../src/runbook/schema.js';
import type { Said } from './decision-model.js';

/** The worker's clock stands still, in the middle of a step of the authenticators. */
export const NOW_MS = Date.parse('2026-11-21T03:04:15.000Z');
export const at = (minutes: number) => new Date(NOW_MS + minutes * 60_000).toISOString();

export const PLACES = ['point', 'gate-promote', 'promote', 'gate-point', 'build', 'run', 'nowhere'] as const;

/** A person's key and authenticator; the same for the whole test, which people have them differs. */
export interface Means {
  readonly publicKey: string;
  readonly privateKey: KeyObject;
  readonly totp: string;
  /** Those that count now, with what the authenticator counts. */
  readonly codes: ReadonlyMap<string, number>;
}

/** @param index names the environment variable with the secret, to which `totp` refers */
export function newMeans(index: number): Means {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const variable = `MUSTER_FUZZ_TOTP_${index}`;
  const secret = newTotpSecret();
  process.env[variable] = secret;
  const authenticator = new Authenticator(secret, variable);
  const codes = [0, 1, -1].map(
    (step) => [authenticator.codeAt(NOW_MS + step * STEP_MS), Math.floor(NOW_MS / STEP_MS) + step] as const,
  );
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey,
    totp: `env:${variable}`,
    codes: new Map(codes),
  };
}

/** The text that is signed: JSON with sorted keys, made without Muster. */
export function textToSign(
  said: Said,
  about: { runId: string; planHash: string; opening: string; at: string },
) {
  const change = said.change && Object.fromEntries(Object.entries(said.change).sort());
  const whole = {
    ...{ at: about.at, by: said.by, change, choice: said.choice, muster: 'decision', on: said.on },
    ...{ opening: about.opening, planHash: about.planHash, reason: said.reason, runId: about.runId },
    ...{ to: said.to, version: 1 },
  };
  return JSON.stringify(whole);
}

type WithProof = Said & { readonly proof?: Proof };

export class ProofModel {
  private readonly signed = new Map<string, { readonly means: Means; readonly text: string }>();
  private readonly used = new Set<string>();
  /** Code of whom -> the text that it was given for first. */
  private readonly claimed = new Map<string, string>();
  private readonly wrong = new Map<string, number>();

  constructor(
    readonly runId: string,
    readonly planHash: string,
    /** In the order of the people. */
    private readonly means: ReadonlyMap<string, Means>,
  ) {}

  meansOf(name: string): Means | undefined {
    return this.means.get(name);
  }

  sign(means: Means, text: string): string {
    const signature = sign(null, Buffer.from(text), means.privateKey).toString('base64');
    this.signed.set(signature, { means, text });
    return signature;
  }

  /** Whether it counts; then it is used up. */
  good(said: WithProof, person: Person, secondFactor: 'none' | 'totp', opening: string): boolean {
    const hasKey = (person.proofs?.keys.length ?? 0) > 0;
    const hasTotp = person.proofs?.totp !== undefined;
    const asksCode = secondFactor === 'totp' || (hasTotp && !hasKey);
    if (asksCode && !hasTotp) return false;
    if (!hasKey && !asksCode) return true;
    const { proof } = said;
    if (proof === undefined || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(proof.at)) return false;
    const ageMs = NOW_MS - Date.parse(proof.at);
    if (!(ageMs <= 5 * 60_000 && ageMs >= -60_000)) return false;
    if (proof.totp !== undefined && !/^\d{6}$/.test(proof.totp)) return false;
    if (proof.signature === '') return false;
    if ((hasKey && proof.signature === undefined) || (asksCode && proof.totp === undefined)) return false;
    const { runId, planHash } = this;
    const text = textToSign(said, { runId, planHash, opening, at: proof.at });
    const own = this.means.get(person.name);
    const uses: string[] = [];
    if (hasKey) {
      const by = this.signed.get(proof.signature ?? '');
      if (by === undefined || by.means !== own || by.text !== text) return false;
      uses.push(`signature ${proof.signature}`, `text ${text}`);
    }
    if (proof.totp !== undefined && hasTotp) {
      if (!this.goodCode(person.name, proof.totp, text)) return false;
      uses.push(`code ${person.name} ${proof.totp}`);
    }
    if (uses.some((use) => this.used.has(use))) return false;
    for (const use of uses) this.used.add(use);
    return true;
  }

  /** Ten wrong ones, and none is looked at any more. */
  private goodCode(name: string, code: string, text: string): boolean {
    const wrong = this.wrong.get(name) ?? 0;
    if (wrong >= 10) return false;
    if (this.means.get(name)?.codes.has(code) !== true) {
      this.wrong.set(name, wrong + 1);
      return false;
    }
    this.wrong.delete(name);
    const key = `${name} ${code}`;
    const first = this.claimed.get(key) ?? text;
    this.claimed.set(key, first);
    return first === text;
  }
}

const longest: Readonly<Record<string, number>> = {
  ...{ on: 100, choice: 20, by: 200, reason: 2_000, to: 200, planHash: 100 },
};
const inProof = { at: 40, totp: 20, signature: 8_000 };
const inOrigin = { address: 200, agent: 200 };

/** Whether it is a decision at all. */
export function wellFormed(value: unknown): value is WithProof {
  if (!isObject(value)) return false;
  const { change, proof, origin, ...texts } = value;
  const fits = (given: object, allowed: Readonly<Record<string, number>>) =>
    Object.entries(given).every(
      ([name, text]) =>
        Object.hasOwn(allowed, name) && typeof text === 'string' && text.length <= (allowed[name] ?? 0),
    );
  if (!fits(texts, longest)) return false;
  const { on, choice, by } = texts;
  if ([on, by].some((text) => typeof text !== 'string' || text.trim() === '')) return false;
  if (!(decisionChoices as readonly unknown[]).includes(choice)) return false;
  if (change !== undefined) {
    if (!isObject(change)) return false;
    const values = Object.values(change);
    if (values.length === 0 || values.length > 5) return false;
    if (!values.every((text) => typeof text === 'string' && text.length <= 500)) return false;
  }
  if (proof !== undefined && !(isObject(proof) && fits(proof, inProof) && typeof proof.at === 'string'))
    return false;
  return origin === undefined || (isObject(origin) && fits(origin, inOrigin));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
