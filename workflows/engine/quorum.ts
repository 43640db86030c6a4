/** Whether those who have approved are enough, and whose word is still missing. Pure. */
import type { Approval } from '../../src/model/decision.js';
import type { GateDocument } from '../../src/model/plan.js';

/** What a gate demands now: once it has escalated, further roles count as well. */
export interface Demand extends Pick<GateDocument, 'roles' | 'approvals' | 'from' | 'escalateTo'> {
  readonly escalated: boolean;
}

/** The roles that may decide now. */
export function rolesAsked({ roles, escalateTo, escalated }: Demand): readonly string[] {
  return escalated ? [...new Set([...roles, ...escalateTo])] : roles;
}

/** @returns whose word is missing, in words; undefined when the gate may open */
export function missingFor(demand: Demand, approvals: readonly Approval[]): string | undefined {
  const asked = rolesAsked(demand);
  const counting = approvals.filter((approval) => approval.roles.some((role) => asked.includes(role)));
  const uncovered = demand.from === 'each' ? uncoveredRoles(demand, counting) : [];
  const more = demand.approvals - counting.length;
  const parts = uncovered.map((role) => `one ${role}`);
  const others = more - uncovered.length;
  if (others > 0) parts.push(peopleOf(asked, others, counting.length > 0));
  return parts.length === 0 ? undefined : parts.join(' and ');
}

function peopleOf(roles: readonly string[], count: number, others: boolean): string {
  const role = roles.join(' or ');
  if (count === 1) return others ? `one more ${role}` : role;
  return `${count}${others ? ' more' : ''} of ${role}`;
}

/**
 * Roles that no approver is left for when each role takes a different person: a largest matching of roles and people.
 * Whoever was escalated to may stand for any role.
 */
function uncoveredRoles(demand: Demand, approvals: readonly Approval[]): readonly string[] {
  const fits = (role: string, { roles }: Approval) =>
    roles.includes(role) || (demand.escalated && demand.escalateTo.some((other) => roles.includes(other)));
  const roleOf = new Map<number, string>();
  const take = (role: string, tried: Set<number>): boolean =>
    approvals.some((approval, index) => {
      if (tried.has(index) || !fits(role, approval)) return false;
      tried.add(index);
      const holder = roleOf.get(index);
      if (holder !== undefined && !take(holder, tried)) return false;
      roleOf.set(index, role);
      return true;
    });
  return demand.roles.filter((role) => !take(role, new Set()));
}
