import { readPublicKey } from '../../people/keys.js';
import { canProve, gatesOf, isAsked, lackAt, type NamedGate } from '../../people/roster.js';
import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';

/** Everybody can be told apart and can prove who they are, and together they can open every gate. */
export function checkPeople(runbook: Runbook, problems: Problems): void {
  problems.mustDiffer(
    runbook.people.map(({ name }, index) => ({ path: ['people', index, 'name'], value: name.toLowerCase() })),
    'a name',
  );
  checkKeys(runbook, problems);
  for (const gate of gatesOf(runbook)) checkGate(runbook, gate, problems);
  checkBreakGlass(runbook, problems);
}

/** Roles that somebody of the roster has. */
export function rolesOf(runbook: Runbook): string[] {
  return [...new Set(runbook.people.flatMap((person) => person.roles))];
}

function checkKeys({ people }: Runbook, problems: Problems): void {
  const keys = people.flatMap(({ proofs }, person) =>
    (proofs?.keys ?? []).map((text, index) => {
      const path = ['people', person, 'proofs', 'keys', index] as const;
      return { path, key: readPublicKey(text) };
    }),
  );
  for (const { path, key } of keys) {
    if (key === undefined) {
      problems.add(path, 'a whole public key: a line of a .pub file of OpenSSH, or PEM of an Ed25519 key');
    }
  }
  problems.mustDiffer(
    keys.flatMap(({ path, key }) => (key === undefined ? [] : [{ path, value: key.fingerprint }])),
    'a key',
  );
  problems.mustDiffer(
    people.flatMap(({ proofs }, index) =>
      proofs?.totp === undefined ? [] : [{ path: ['people', index, 'proofs', 'totp'], value: proofs.totp }],
    ),
    'a secret',
  );
}

function checkGate(runbook: Runbook, { scenario, gate, policy }: NamedGate, problems: Problems): void {
  const known = rolesOf(runbook);
  // A role that nobody has is told where it stands.
  if (![...policy.roles, ...policy.escalateTo].every((role) => known.includes(role))) return;
  const lack = lackAt(policy, runbook.people, true);
  if (lack === undefined) return;
  const path = ['scenarios', scenario, 'gates', gate] as const;
  const asked = runbook.people.filter((person) => isAsked(person, policy) !== 'never');
  if (lack === 'people') {
    problems.add(
      [...path, 'approvals'],
      `at most ${asked.length}: only ${namesOf(asked)} can approve here`,
      String(policy.approvals),
    );
  } else if (lack === 'each-role') {
    problems.add(
      [...path, 'from'],
      `any, or a different person for each of ${policy.roles.join(', ')} in the roster`,
    );
  } else {
    const without = asked.filter((person) => !canProve(person, policy));
    problems.add(
      [...path, 'secondFactor'],
      `none, or an authenticator (proofs.totp) for enough people: ${namesOf(without)} has none`,
    );
  }
}

function checkBreakGlass(runbook: Runbook, problems: Problems): void {
  const { breakGlass } = runbook;
  if (breakGlass === undefined) return;
  const known = rolesOf(runbook);
  breakGlass.roles.forEach((role, index) => {
    const path = ['breakGlass', 'roles', index];
    problems.mustBeOneOf(path, role, known, 'a role that somebody of the roster has');
  });
  if (!breakGlass.roles.every((role) => known.includes(role))) return;
  const people = runbook.people.filter((person) =>
    person.roles.some((role) => breakGlass.roles.includes(role)),
  );
  if (people.length < breakGlass.people) {
    problems.add(
      ['breakGlass', 'people'],
      `at most ${people.length}: only ${namesOf(people)} can override`,
      String(breakGlass.people),
    );
  }
}

function namesOf(people: readonly { readonly name: string }[]): string {
  return people.map((person) => person.name).join(', ');
}
