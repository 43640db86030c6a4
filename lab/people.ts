/** The people of the lab's runbook who prove who they are: their keys and authenticators, and proofs made with them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Decision } from '../src/model/decision.js';
import type { RunView } from '../src/model/run.js';
import { newKeyPair } from '../src/people/keys.js';
import { prove } from '../src/people/prove.js';
import { openingOf, type Said, statementFor } from '../src/people/statement.js';
import { Authenticator, newTotpSecret, STEP_MS } from '../src/people/totp.js';
import { resolveSecret } from '../src/secrets.js';
import { writeSecret } from './secrets.js';

/** What a person of the lab proves who they are with. Holds no secret. */
export interface LabPerson {
  /** Reference to the authenticator's secret. */
  readonly totp: string;
  /** Ed25519 in PEM, readable for its owner alone. */
  readonly keyFile: string;
  /** PEM. */
  readonly publicKey: string;
}

export type LabPeople = Readonly<Record<string, LabPerson>>;

/** Who has a key and an authenticator in every lab; the others of the runbook prove nothing. */
export const PROVING_PEOPLE = ['database-lead', 'security-lead'] as const;

/** Makes a key and an authenticator for each of them in the lab's folder of secrets. */
export async function makePeople(folder: string): Promise<LabPeople> {
  const made = PROVING_PEOPLE.map(async (name): Promise<[string, LabPerson]> => {
    const { privateKey, publicKey } = newKeyPair();
    const keyFile = join(folder, `${name}-key.pem`);
    await writeFile(keyFile, privateKey, { mode: 0o600 });
    return [name, { totp: await writeSecret(folder, `${name}-totp`, newTotpSecret()), keyFile, publicKey }];
  });
  return Object.fromEntries(await Promise.all(made));
}

/** Steps whose codes this process has given, an authenticator. */
const given = new Map<string, Set<number>>();

/**
 * A code that counts now, if there is one that this process has not given before: the one shown, else that of the step after or
 * before. With all three given it is the one shown: it counts where what it was given for never arrived.
 */
export async function labCode(person: LabPerson): Promise<string> {
  const authenticator = new Authenticator(await resolveSecret(person.totp), person.totp);
  const now = Date.now();
  const spent = given.get(person.totp) ?? new Set<number>();
  const step = Math.floor(now / STEP_MS);
  const free = [step, step + 1, step - 1].find((each) => !spent.has(each)) ?? step;
  given.set(person.totp, spent.add(free));
  return authenticator.codeAt(free * STEP_MS);
}

/** The decision as this person of the lab would send it: with a proof, unless nothing is asked of them. */
export async function provenInLab(people: LabPeople, view: RunView, said: Said): Promise<Decision> {
  const person = people[said.by];
  if (person === undefined) return said;
  const code = view.openDecisions.some(
    (open) => open.since === openingOf(view, said.on) && open.secondFactor,
  );
  const proof = await prove(
    (at) => statementFor(view, said, at),
    { keyFile: person.keyFile, ...(code ? { totp: await labCode(person) } : {}) },
    { signature: true, code },
  );
  return { ...said, planHash: view.planHash, ...(proof === undefined ? {} : { proof }) };
}
