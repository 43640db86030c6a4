import { type Finding, findingsOf } from '../../src/runbook/findings.js';
import { readRunbook } from '../../src/runbook/load.js';
import { good, lineOf } from './cases.js';

const promote = 'scenarios.corruption.gates.promote';

function findingAt(field: string, ...changes: readonly (readonly [string, string])[]) {
  const text = changes.reduce((changed, [from, to]) => {
    expect(changed).toContain(from);
    return changed.replace(from, () => to);
  }, good);
  const { runbook, source } = readRunbook('payymo.yaml', text);
  const finding: Finding | undefined = findingsOf(runbook, source).find((each) => each.field === field);
  return { finding, lineOf: (part: string) => lineOf(text, part) };
}

const notTheRequester = [
  'atExpiry: remind\n        secondFactor: totp',
  'atExpiry: remind\n        requester: does-not-count',
] as const;

test('a gate that nobody can open when the only one asked begins the run', () => {
  const { finding, lineOf } = findingAt(`${promote}.requester`, notTheRequester);
  expect(finding).toMatchObject({ severity: 'warning', line: lineOf('requester: does-not-count') });
  expect(finding?.what).toBe(
    'When database-lead begins the run, the gate promote cannot be opened: who began it does not count there, and the others are too few.',
  );
  const shared = ['roles: [security-lead]\n', 'roles: [security-lead, database-lead]\n'] as const;
  expect(findingAt(`${promote}.requester`, notTheRequester, shared).finding).toBeUndefined();
});

test('a gate that opens only after it has escalated', () => {
  const { finding } = findingAt('scenarios.corruption.gates.point.approvals', [
    'atExpiry: escalate',
    'approvals: 2\n        atExpiry: escalate',
  ]);
  expect(finding).toMatchObject({
    severity: 'warning',
    proposal: expect.stringContaining('incident-commander'),
  });
  expect(finding?.what).toMatch(/^The gate point can only be opened once it has escalated/);
});

test('somebody who decides without a proof where others prove who they are', () => {
  const { finding, lineOf } = findingAt('people[0]');
  expect(finding).toMatchObject({ severity: 'advice', line: lineOf('- name: on-call') });
  expect(finding?.what).toMatch(
    /can decide in the name of on-call: at the gate point, the gate failover, (the gate [a-z]+, )*overrides\.$/,
  );
  const proven = ["tel:on-call']\n", "tel:on-call']\n    proofs: { totp: env:ON_CALL_TOTP }\n"] as const;
  expect(findingAt('people[0]', proven).finding).toBeUndefined();
});

test('a roster in which nobody proves anything says so once', () => {
  const text = good
    .replaceAll(/ {4}proofs:\n(?: {6}.*\n)+/g, '')
    .replaceAll('        secondFactor: totp\n', '');
  const { runbook, source } = readRunbook('payymo.yaml', text);
  const found = findingsOf(runbook, source).filter(({ field }) => field.startsWith('people'));
  expect(found.map(({ field, what }) => [field, what])).toEqual([
    ['people[0]', 'Nobody proves who they are: whoever reaches Temporal can decide in the name of anybody.'],
  ]);
});
