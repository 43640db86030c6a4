/** What a person has to show before their word counts. One place for it: the check, the sender and the roster read this. */
import type { Person } from '../runbook/schema.js';

export type SecondFactor = 'none' | 'totp';

export interface DemandedProof {
  /** A signature over the statement, with one of the person's keys. */
  readonly signature: boolean;
  /** A code of the person's authenticator. */
  readonly code: boolean;
  /** Why nothing that the person could send would do; absent where something would. */
  readonly impossible?: string;
}

/**
 * Without `proofs` a person's word counts as it is. Who has keys signs; who has an authenticator only gives its code; where a
 * second factor is demanded, a code is given beside the signature.
 */
export function demandedProof(
  person: Pick<Person, 'name' | 'proofs'>,
  secondFactor: SecondFactor,
): DemandedProof {
  const hasKeys = (person.proofs?.keys.length ?? 0) > 0;
  const hasTotp = person.proofs?.totp !== undefined;
  if (secondFactor === 'totp' && !hasTotp) {
    return {
      signature: hasKeys,
      code: true,
      impossible: `a code of an authenticator is demanded here, and the roster has none for ${person.name}`,
    };
  }
  return { signature: hasKeys, code: secondFactor === 'totp' || (hasTotp && !hasKeys) };
}

/** What is demanded, in words that follow "needs". */
export function demandedInWords({ signature, code }: DemandedProof): string {
  if (signature && code) return 'a signature and a code of the authenticator';
  if (signature) return 'a signature';
  return code ? 'a code of the authenticator' : 'no proof';
}
