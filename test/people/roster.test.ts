import fc from 'fast-check';
import { demandedProof } from '../../src/people/demanded.js';
import { lackAt } from '../../src/people/roster.js';
import type { GatePolicy, Person } from '../../src/runbook/schema.js';

const roles = ['lead', 'owner', 'auditor', 'on-call'];

const person = fc.record({
  roles: fc.uniqueArray(fc.constantFrom(...roles), { minLength: 1 }),
  totp: fc.boolean(),
});
const people = fc.array(person, { maxLength: 5 }).map((list) =>
  list.map(
    ({ roles: own, totp }, index): Person => ({
      name: `person-${index}`,
      roles: own,
      contacts: [],
      ...(totp ? { proofs: { totp: 'env:SECRET', keys: [] } } : {}),
    }),
  ),
);
const policy = fc
  .record({
    roles: fc.uniqueArray(fc.constantFrom(...roles), { minLength: 1 }),
    approvals: fc.integer({ min: 1, max: 4 }),
    from: fc.constantFrom('any' as const, 'each' as const),
    secondFactor: fc.constantFrom('none' as const, 'totp' as const),
    atExpiry: fc.constantFrom('remind' as const, 'escalate' as const),
    escalateTo: fc.uniqueArray(fc.constantFrom(...roles)),
  })
  .map((each): GatePolicy => ({ requester: 'counts', expires: 600_000, ...each }));

/** Every way to choose people, tried. */
function canBeOpened(gate: GatePolicy, all: readonly Person[], escalated: boolean): boolean {
  const asked = new Set([
    ...gate.roles,
    ...(escalated && gate.atExpiry === 'escalate' ? gate.escalateTo : []),
  ]);
  const count = all.filter(
    (each) =>
      each.roles.some((role) => asked.has(role)) && (gate.secondFactor === 'none' || each.proofs?.totp),
  );
  const givesEach = (open: readonly string[], left: readonly Person[]): boolean => {
    const [role, ...others] = open;
    return (
      role === undefined ||
      left.some(
        (each) =>
          each.roles.includes(role) &&
          givesEach(
            others,
            left.filter((other) => other !== each),
          ),
      )
    );
  };
  return count.length >= gate.approvals && (gate.from === 'any' || givesEach(gate.roles, count));
}

test('a gate lacks something exactly when no choice of people could open it', () => {
  fc.assert(
    fc.property(policy, people, fc.boolean(), (gate, all, escalated) => {
      expect(lackAt(gate, all, escalated) === undefined).toBe(canBeOpened(gate, all, escalated));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ['nothing of who has no proofs', undefined, 'none', { signature: false, code: false }],
  ['nothing where the proofs are empty', { keys: [] }, 'none', { signature: false, code: false }],
  ['a signature of who has a key', { keys: ['k'] }, 'none', { signature: true, code: false }],
  [
    'a signature only, though there is an authenticator',
    { keys: ['k'], totp: 'env:T' },
    'none',
    { signature: true, code: false },
  ],
  ['a code of who has only that', { keys: [], totp: 'env:T' }, 'none', { signature: false, code: true }],
  [
    'both where a second factor is demanded',
    { keys: ['k'], totp: 'env:T' },
    'totp',
    { signature: true, code: true },
  ],
  [
    'a code where a second factor is demanded of who has no key',
    { keys: [], totp: 'env:T' },
    'totp',
    { signature: false, code: true },
  ],
] as const)('asks %s', (_what, proofs, secondFactor, wanted) => {
  const who = {
    name: 'lead',
    ...(proofs === undefined ? {} : { proofs: { ...proofs, keys: [...proofs.keys] } }),
  };
  expect(demandedProof(who, secondFactor)).toEqual(wanted);
});

test('a second factor of who has none is impossible', () => {
  for (const proofs of [undefined, { keys: ['k'] }]) {
    const who = { name: 'lead', ...(proofs === undefined ? {} : { proofs }) };
    expect(demandedProof(who, 'totp').impossible).toContain('the roster has none for lead');
  }
});
