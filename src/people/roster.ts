/** Who can decide what: the roster held against the gates of every scenario. */
import type { GateDocument } from '../model/plan.js';
import type { GatePolicy, Person, Runbook } from '../runbook/schema.js';
import { demandedProof } from './demanded.js';

export interface NamedGate {
  readonly scenario: string;
  readonly gate: string;
  readonly policy: GatePolicy;
}

/** Every gate of every scenario of a runbook. */
export function gatesOf(runbook: Pick<Runbook, 'scenarios'>): NamedGate[] {
  return Object.entries(runbook.scenarios).flatMap(([scenario, section]) =>
    section === undefined
      ? []
      : Object.entries(section.gates).map(([gate, policy]) => ({ scenario, gate, policy })),
  );
}

/** Whether the person has a role that the gate asks, at once or after it has escalated. */
export function isAsked(
  person: Pick<Person, 'roles'>,
  policy: Pick<GateDocument, 'roles' | 'atExpiry' | 'escalateTo'>,
): 'at once' | 'escalated' | 'never' {
  if (person.roles.some((role) => policy.roles.includes(role))) return 'at once';
  if (policy.atExpiry !== 'escalate') return 'never';
  return person.roles.some((role) => policy.escalateTo.includes(role)) ? 'escalated' : 'never';
}

/** Whether a proof exists by which the person's word would count at the gate. */
export function canProve(person: Person, policy: Pick<GatePolicy, 'secondFactor'>): boolean {
  return demandedProof(person, policy.secondFactor).impossible === undefined;
}

export type Lack =
  /** Fewer different people than approvals. */
  | 'people'
  /** Not a different person for each role. */
  | 'each-role'
  /** There would be enough, had more of them an authenticator. */
  | 'second-factor';

/**
 * What keeps these people from opening a gate together; undefined: nothing does.
 * @param escalated whether the roles of `escalateTo` are asked as well
 */
export function lackAt(policy: GatePolicy, people: readonly Person[], escalated: boolean): Lack | undefined {
  const asked = people.filter((person) => {
    const when = isAsked(person, policy);
    return when === 'at once' || (escalated && when === 'escalated');
  });
  const count = asked.filter((person) => canProve(person, policy));
  const lack = lackOf(policy, count);
  return lack !== undefined && lackOf(policy, asked) === undefined ? 'second-factor' : lack;
}

function lackOf(policy: GatePolicy, people: readonly Person[]): Lack | undefined {
  if (people.length < policy.approvals) return 'people';
  return policy.from === 'each' && !oneForEach(policy.roles, people) ? 'each-role' : undefined;
}

/** Whether every role can be given by a different person: a matching, found by augmenting paths. */
function oneForEach(roles: readonly string[], people: readonly Person[]): boolean {
  const roleOf = new Map<Person, string>();
  const place = (role: string, tried: Set<Person>): boolean =>
    people.some((person) => {
      if (!person.roles.includes(role) || tried.has(person)) return false;
      tried.add(person);
      const other = roleOf.get(person);
      if (other !== undefined && !place(other, tried)) return false;
      roleOf.set(person, role);
      return true;
    });
  return [...new Set(roles)].every((role) => place(role, new Set()));
}
