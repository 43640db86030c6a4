import { halvingsOf } from '../../bench/clean-point.js';
import { limitOf } from '../../bench/machine.js';
import { wordsOn } from '../../bench/muster.js';
import { partsOf } from '../../bench/regional.js';
import { finishedRun } from '../support/run-view.js';

const [step] = finishedRun.steps;
if (step === undefined) throw new TypeError('a run has steps');
const at = (second: number) => `2026-03-01T03:00:${String(second).padStart(2, '0')}Z`;
const done = (name: string, from: number, to: number) => ({
  ...{ ...step, name, status: 'done' as const },
  ...{ startedAt: at(from), endedAt: at(to) },
});

test('a part of a regional loss takes the time in which any of its steps was under way', () => {
  const steps = [
    done('provision-target', 0, 1),
    done('restore', 2, 10),
    done('verify-repository', 2, 6),
    done('verify-dump', 9, 14),
    // After the service is back: of no part.
    done('verify-other-copies', 20, 50),
    done('take-over-statements', 3, 5),
    { ...done('reconcile-statements', 14, 30), status: 'running' as const },
    done('cutover', 15, 16),
    done('lower-dns-ttl', 3, 4),
  ];
  expect(partsOf({ steps })).toEqual({ database: 13_000, files: 2_000, application: 0, name: 2_000 });
});

test('candidates are told apart by halving backups, then segments, then commits', () => {
  expect(halvingsOf({ backups: 8, segments: 4, commits: 64 })).toBe(3 + 2 + 6);
  expect(halvingsOf({ backups: 1, segments: 1, commits: 0 })).toBe(0);
});

test('what limits several recoveries at once is read from the load of the machine', () => {
  expect([
    limitOf({ busy: 90, disk: 40 }),
    limitOf({ busy: 40, disk: 30 }),
    limitOf({ busy: 40, disk: 5 }),
  ]).toEqual(['the processors', 'the disk', 'the steps of the slowest system, one after another']);
});

describe('whoever decides in a benchmark', () => {
  const people = [
    { name: 'one', roles: ['lead'], contacts: [] },
    { name: 'two', roles: ['lead', 'security'], contacts: [] },
    { name: 'three', roles: ['commander'], contacts: [] },
  ];
  const runbook = { people, breakGlass: { roles: ['security', 'commander'], people: 2 } };
  const open = { step: 'fence-primary', question: 'What now?', roles: ['lead'], choices: [], approvals: [] };
  const override = [{ choice: 'override' as const, consequence: '' }];

  test('is the next who may approve a gate', () => {
    const approvals = [{ by: 'one', roles: ['lead'], at: at(0), provenBy: [] }];
    expect(wordsOn({ ...open, gate: 'promote', approvals }, runbook)).toEqual([
      { on: 'promote', choice: 'approve', by: 'two' },
    ]);
  });

  test('goes on without proof with as many as the runbook demands, and with nothing else that failed', () => {
    const words = wordsOn({ ...open, choices: override }, runbook);
    expect(words.map(({ on, choice, by }) => [on, choice, by])).toEqual([
      ['fence-primary', 'override', 'two'],
      ['fence-primary', 'override', 'three'],
    ]);
    expect(() => wordsOn(open, runbook)).toThrow('fence-primary failed: What now?');
    expect(() => wordsOn({ ...open, choices: override }, { people })).toThrow('fence-primary failed');
  });
});
