/** What a roster promises and cannot hold on a bad day: gates that hang on one person's place, and words without proof. */
import { gatesOf, isAsked, lackAt, type NamedGate } from '../people/roster.js';
import type { Found, Rule } from './findings.js';
import type { Runbook } from './schema.js';

const pathOf = ({ scenario, gate }: NamedGate, field: string) => [
  'scenarios',
  scenario,
  'gates',
  gate,
  field,
];

/** Whoever begins a run may be anybody on the roster; where the beginner does not count, enough others must be left. */
const gatesWithoutTheRequester: Rule = ({ people, scenarios }) =>
  gatesOf({ scenarios }).flatMap((gate): Found[] => {
    if (gate.policy.requester === 'counts' || lackAt(gate.policy, people, true) !== undefined) return [];
    const needed = people.filter(
      (requester) =>
        lackAt(
          gate.policy,
          people.filter((other) => other !== requester),
          true,
        ) !== undefined,
    );
    if (needed.length === 0) return [];
    const names = needed.map((person) => person.name).join(' or ');
    return [
      {
        severity: 'warning',
        path: pathOf(gate, 'requester'),
        what: `When ${names} begins the run, the gate ${gate.gate} cannot be opened: who began it does not count there, and the others are too few.`,
        proposal: `Give one of the roles (${gate.policy.roles.join(', ')}) to another person, or let who began it count.`,
      },
    ];
  });

/** A gate that its own roles cannot open only opens late. */
const gatesThatHaveToEscalate: Rule = ({ people, scenarios }) =>
  gatesOf({ scenarios }).flatMap((gate): Found[] => {
    const { policy } = gate;
    if (lackAt(policy, people, false) === undefined || lackAt(policy, people, true) !== undefined) return [];
    return [
      {
        severity: 'warning',
        path: pathOf(gate, 'approvals'),
        what: `The gate ${gate.gate} can only be opened once it has escalated: until then those asked are too few.`,
        proposal: `Ask the roles of escalateTo (${policy.escalateTo.join(', ')}) at once, or give ${policy.roles.join(', ')} to more people.`,
      },
    ];
  });

/** Somebody whose word counts without a proof is whoever gets as far as Temporal. */
const wordsWithoutProof: Rule = (runbook: Runbook) => {
  const { people, breakGlass } = runbook;
  const unproven = people.flatMap((person, index) =>
    (person.proofs?.keys.length ?? 0) === 0 && person.proofs?.totp === undefined ? [{ person, index }] : [],
  );
  const proven = unproven.length < people.length;
  return unproven.flatMap(({ person, index }): Found[] => {
    const asked = gatesOf(runbook).filter(({ policy }) => isAsked(person, policy) !== 'never');
    // Scenarios have gates of the same name.
    const gates = [...new Set(asked.map(({ gate }) => `the gate ${gate}`))];
    const overrides = person.roles.some((role) => breakGlass?.roles.includes(role));
    const decides = [...gates, ...(overrides ? ['overrides'] : [])];
    // A roster without any proof says so once for all.
    if (decides.length === 0 || (!proven && unproven[0]?.person !== person)) return [];
    return [
      {
        severity: 'advice',
        path: ['people', index],
        what: proven
          ? `Others prove who they are, but whoever reaches Temporal can decide in the name of ${person.name}: at ${decides.join(', ')}.`
          : 'Nobody proves who they are: whoever reaches Temporal can decide in the name of anybody.',
        proposal: 'Add proofs: muster people enroll makes an authenticator or a key.',
      },
    ];
  });
};

export const peopleRules: readonly Rule[] = [
  gatesWithoutTheRequester,
  gatesThatHaveToEscalate,
  wordsWithoutProof,
];
