/** The roster as people ask about it: who, how reached, how proven, and what each can decide. */
import type { Runbook } from '../runbook/schema.js';
import { demandedInWords, demandedProof } from './demanded.js';
import { readPublicKey } from './keys.js';
import { gatesOf, isAsked } from './roster.js';

export interface GateOfPerson {
  readonly scenario: string;
  readonly gate: string;
  /** `escalated`: only once nobody has decided in time. */
  readonly when: 'at once' | 'escalated';
  /** What is asked of the person there, in words that follow "needs". */
  readonly needs: string;
  /** Whether the person's word can count there; not so where a second factor is missing. */
  readonly counts: boolean;
}

export interface PersonOfRoster {
  readonly name: string;
  readonly roles: readonly string[];
  readonly contacts: readonly string[];
  readonly proofs: {
    readonly totp: boolean;
    /** Kind and fingerprint of each key, such as `ssh-ed25519 SHA256:...`. */
    readonly keys: readonly string[];
  };
  readonly gates: readonly GateOfPerson[];
  readonly mayOverride: boolean;
}

export interface Roster {
  readonly people: readonly PersonOfRoster[];
  /** How many different people an override takes; null: nobody can. */
  readonly overrideTakes: number | null;
}

export function whoDecides(runbook: Pick<Runbook, 'people' | 'breakGlass' | 'scenarios'>): Roster {
  const { people, breakGlass } = runbook;
  const gates = gatesOf(runbook);
  return {
    overrideTakes: breakGlass?.people ?? null,
    people: people.map((person) => ({
      name: person.name,
      roles: person.roles,
      contacts: person.contacts,
      proofs: {
        totp: person.proofs?.totp !== undefined,
        keys: (person.proofs?.keys ?? []).map((text) => {
          const key = readPublicKey(text);
          if (key === undefined) return 'unreadable';
          return `${key.kind === 'ssh' ? key.key.type : 'ed25519'} ${key.fingerprint}`;
        }),
      },
      gates: gates.flatMap(({ scenario, gate, policy }): GateOfPerson[] => {
        const when = isAsked(person, policy);
        if (when === 'never') return [];
        const demanded = demandedProof(person, policy.secondFactor);
        const counts = demanded.impossible === undefined;
        return [{ scenario, gate, when, needs: demandedInWords(demanded), counts }];
      }),
      mayOverride: person.roles.some((role) => breakGlass?.roles.includes(role)),
    })),
  };
}
