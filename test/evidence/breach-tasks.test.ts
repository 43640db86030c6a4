/** What a breach leaves to people stands in the report, whatever became of the run. */
import { breachFindings, breachTasks } from '../../src/evidence/breach-tasks.js';

const signs = {
  'look-for-intrusion': {
    systemIdentifier: '7',
    timeline: 1,
    time: '2026-01-01T10:00:00.000000Z',
    earliest: '2026-01-01T10:00:00.000000Z',
    signs: [
      { kind: 'role', what: 'role mallory (superuser)', seenAt: '2026-01-01T10:00:00.000000Z' },
      { kind: 'trigger', what: 'trigger public.t.copy', seenAt: null },
    ],
    summary: '',
  },
};
const evidence = {
  'secure-evidence': {
    bucket: 'evidence',
    custodyKey: 'evidence/payymo/run/custody.json',
    custodySha256: 'ab12',
    lockedUntil: '2027-01-01T00:00:00.000Z',
  },
};

test('every sign is a finding of the security lead', () => {
  expect(breachFindings(signs)).toEqual([
    {
      text: 'Sign of the intruder: role mallory (superuser), last changed at 2026-01-01T10:00:00.000000Z.',
      owner: 'security-lead',
    },
    { text: 'Sign of the intruder: trigger public.t.copy, not dated.', owner: 'security-lead' },
  ]);
  expect(breachFindings({})).toEqual([]);
});

test('a run that looked for no intruder leaves none of these tasks', () => {
  expect(breachTasks({ 'propose-point': { time: '' } })).toEqual([]);
});

test('the investigation is left with the way to the evidence, or with the demand to secure it', () => {
  const [found] = breachTasks({ ...signs, ...evidence });
  expect(found?.text).toMatch(/^Find out how the intruder came in.*custody\.json \(SHA-256 ab12\)\.$/);
  const [without] = breachTasks(signs);
  expect(without?.text).toContain('The evidence is NOT locked elsewhere');
});

test('new references, roles without a password and what nothing proves dead are named', () => {
  const texts = breachTasks({
    ...signs,
    'rotate-credentials': {
      logins: [{ user: 'app', newPassword: 'file:/secrets/app-renewed' }],
      absent: [],
      withoutPassword: ['reader'],
      shutOut: ['stranger'],
      byOwner: [],
    },
    'prove-old-dead': { refused: [], unproven: ['keys of the processor'] },
  }).map(({ text }) => text);
  expect(texts).toContainEqual(expect.stringContaining('app: file:/secrets/app-renewed'));
  expect(texts).toContainEqual(expect.stringContaining('reader, stranger'));
  expect(texts).toContainEqual(expect.stringContaining('which nothing has: keys of the processor'));
});
