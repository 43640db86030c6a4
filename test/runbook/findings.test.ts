import { findingsOf } from '../../src/runbook/findings.js';
import { readRunbook } from '../../src/runbook/load.js';
import { good, lineOf } from './cases.js';

function findingAt(field: string, ...changes: readonly (readonly [string, string])[]) {
  const text = changes.reduce((changed, [from, to]) => {
    expect(changed).toContain(from);
    return changed.replace(from, () => to);
  }, good);
  const { runbook, source } = readRunbook('payymo.yaml', text);
  const finding = findingsOf(runbook, source).find((each) => each.field === field);
  return { finding, lineOf: (part: string) => lineOf(text, part) };
}

test('an RTO that its dependencies cannot hold is gone when they can', () => {
  const { finding } = findingAt('objectives.components.core-api.rto', ['rto: 6 h', 'rto: 4 h']);
  expect(finding).toBeUndefined();
});

test('an RPO shorter than the way to the archive', () => {
  const { finding, lineOf } = findingAt('objectives.dataClasses.transactions.rpo', [
    'walArchivedWithin: 90 s',
    'walArchivedWithin: 6 min',
  ]);
  expect(finding).toMatchObject({ severity: 'warning', line: lineOf('rpo: 5 min') });
  expect(finding?.what).toBe(
    'transactions may lose at most 5 min, but a commit may take 6 min to reach the archive (backups.ledger.walArchivedWithin).',
  );
});

test('an RPO that nothing can be held against', () => {
  const { finding } = findingAt('backups.ledger', ['    walArchivedWithin: 90 s\n', '']);
  expect(finding).toMatchObject({
    severity: 'advice',
    proposal: expect.stringContaining('walArchivedWithin'),
  });
});

test('all copies in the region of the primary', () => {
  const [regionalLoss = ''] = / {2}regionalLoss:\n(?: {4}.*\n)+/.exec(good) ?? [];
  const { finding } = findingAt(
    'backups.ledger.repositories',
    ['failureDomain: us-east-1\n        cipher', 'failureDomain: us-west-2/us-west-2c\n        cipher'],
    // With this section it is an error.
    [regionalLoss, ''],
  );
  expect(finding).toMatchObject({ severity: 'warning', proposal: 'Add a repository outside of us-west-2.' });
});

test('a copy in the clear, or of which it is not said', () => {
  const clear = findingAt('backups.ledger.repositories[0]', ['cipher: aes-256-cbc', 'cipher: none']);
  expect(clear.finding?.what).toBe('Repository 1 is not encrypted.');
  const unsaid = findingAt('backups.ledger.repositories[0]', ['        cipher: aes-256-cbc\n', '']);
  expect(unsaid.finding?.what).toBe('It is not said whether repository 1 is encrypted.');
});

test('a gate that only one person can open, until a second one can', () => {
  const field = 'scenarios.corruption.gates.promote.roles';
  expect(findingAt(field).finding?.what).toBe(
    'Only database-lead can decide at the gate promote: when that person cannot be reached, the run waits.',
  );
  const shared = findingAt(field, ['roles: [security-lead]', 'roles: [security-lead, database-lead]']);
  expect(shared.finding).toBeUndefined();
  const notEscalated = findingAt('scenarios.corruption.gates.point.roles', [
    'atExpiry: escalate\n        escalateTo: [incident-commander]',
    'atExpiry: remind',
  ]);
  expect(notEscalated.finding?.what).toContain('at the gate point and the gate promote');
});

test('a fence without anybody having agreed', () => {
  const { finding } = findingAt('scenarios.corruption.gates.point.atExpiry', [
    'atExpiry: escalate',
    'atExpiry: proceed',
  ]);
  expect(finding).toMatchObject({ severity: 'warning', proposal: 'Use remind or escalate.' });
});

test('procedures of the owner that no scenario carries out', () => {
  const { finding } = findingAt('owner.procedures.data-corruption', ['      scenario: corruption\n', '']);
  expect(finding?.what).toMatch(/^The owner plans for data corruption[ ,]/);
});
