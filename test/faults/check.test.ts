/** The judge of the harness must find what it is there for: each thing that may be broken is broken once. */
import { type Facts, wrongIn } from './check.js';
import { hashOf, type JournalRow } from './journal.js';

const RECOVERY = '127.0.0.2';

function chained(bodies: readonly JournalRow['body'][]): JournalRow[] {
  let previous = '0'.repeat(64);
  return bodies.map((body) => {
    const row = { body, previous_hash: previous, hash: hashOf(previous, body) };
    previous = row.hash;
    return row;
  });
}

const ENTRIES: readonly JournalRow['body'][] = [
  { index: 1, kind: 'run-started', text: 'begun' },
  { index: 2, kind: 'decision', step: 'gate-point', text: 'approved' },
  { index: 3, kind: 'decision', step: 'gate-promote', text: 'approved' },
  { index: 4, kind: 'run-ended', text: 'recovered' },
];
const without = (index: number) => ENTRIES.filter((entry) => entry.index !== index);

const GOOD: Facts = {
  status: 'recovered',
  claims: { kinds: ['fence', 'promotion'], versions: 2 },
  copy: { timelines: ['00000002.history'], inRecovery: false, named: 2 },
  old: { serverRuns: false, lets: [] },
  payments: {
    flow: true,
    missing: [{ id: 'lost', at: '2026-01-01T00:00:05.000001Z' }],
    measuredLost: 1,
    missingFromBefore: 0,
    promotedAt: '2026-01-01T00:01:00.000Z',
  },
  approvals: [
    { gate: 'point', counted: 1 },
    { gate: 'promote', counted: 1 },
  ],
  names: { values: [RECOVERY], ttl: 60, resolved: RECOVERY, wanted: { address: RECOVERY, ttl: 60 } },
  journal: { acknowledged: ENTRIES, rows: chained(ENTRIES), verified: { code: 0, said: '' } },
};

const payments = (change: Partial<Facts['payments']>) => ({ payments: { ...GOOD.payments, ...change } });
const journal = (change: Partial<Facts['journal']>) => ({ journal: { ...GOOD.journal, ...change } });
const names = (change: Partial<Facts['names']>) => ({ names: { ...GOOD.names, ...change } });
const lostAt = (at: string) => payments({ missing: [{ id: 'lost', at }] });

it('finds nothing where all is as it must be', () => {
  expect(wrongIn(GOOD)).toEqual([]);
});

const BREAKAGES: readonly [string, Partial<Facts>, RegExp][] = [
  ['the run gave up', { status: 'failed' }, /ended failed/],
  [
    'two promotions were claimed',
    { claims: { kinds: ['fence', 'promotion', 'promotion'], versions: 3 } },
    /claims:/,
  ],
  ['a claim was written over', { claims: { kinds: ['fence', 'promotion'], versions: 3 } }, /written over/],
  [
    'the copy was promoted twice',
    { copy: { ...GOOD.copy, timelines: ['00000002.history', '00000003.history'] } },
    /timelines: 00000002.history, 00000003.history/,
  ],
  [
    'the copy was never promoted',
    { copy: { timelines: [], inRecovery: true, named: 1 } },
    /still in recovery/,
  ],
  ['the run names another timeline', { copy: { ...GOOD.copy, named: 3 } }, /names timeline 3/],
  ['the old primary runs', { old: { serverRuns: true, lets: [] } }, /old data directory/],
  [
    'the old primary takes a login',
    { old: { serverRuns: false, lets: ['ledger_app'] } },
    /ledger_app gets into/,
  ],
  ['no payments are taken', payments({ flow: false }), /no payments/],
  ['more is lost than measured', payments({ measuredLost: 0 }), /1 acknowledged payments are missing, 0/],
  ['the loss was not measured', payments({ measuredLost: null }), /null were measured/],
  [
    'what is missing was written over a longer time than measured',
    payments({
      missing: [
        { id: 'lost', at: '2026-01-01T00:00:05.000001Z' },
        { id: 'lost too', at: '2026-01-01T00:00:07.000001Z' },
      ],
      measuredLost: 2,
      measuredMs: 1_999,
    }),
    /written over 2000 ms, 1999 ms were measured/,
  ],
  ['what was good before the damage is lost', payments({ missingFromBefore: 1 }), /before the damage/],
  ['what the new primary acknowledged is lost', lostAt('2026-01-01T00:01:00.000001Z'), /new primary/],
  [
    'an approval was lost',
    {
      approvals: [
        { gate: 'point', counted: 0 },
        { gate: 'promote', counted: 1 },
      ],
    },
    /counts 0/,
  ],
  [
    'an approval counts twice',
    {
      approvals: [
        { gate: 'point', counted: 1 },
        { gate: 'promote', counted: 2 },
      ],
    },
    /counts 2/,
  ],
  ['a gate was passed unasked', { approvals: [{ gate: 'point', counted: 1 }] }, /given at point/],
  ['the record is empty', names({ values: [] }), /record says nothing/],
  ['the record has two addresses', names({ values: [RECOVERY, '127.0.0.1'] }), /record says/],
  ['the record keeps the short TTL', names({ ttl: 5 }), /TTL of 5 s/],
  ['the name still leads to the old primary', names({ resolved: '127.0.0.1' }), /resolves to 127.0.0.1/],
  [
    'an acknowledged entry is missing',
    journal({ rows: chained(without(1)) }),
    /entry 1 \(run-started\) was ack/,
  ],
  [
    'an entry says something else',
    journal({ rows: chained([{ index: 1, kind: 'run-started', text: 'other' }, ...without(1)]) }),
    /entry 1 says something else/,
  ],
  [
    'an entry was altered where it stands',
    journal({
      acknowledged: without(1),
      rows: chained(ENTRIES).map((row, at) =>
        at === 0 ? { ...row, body: { ...row.body, text: 'other' } } : row,
      ),
    }),
    /chain breaks at journal entry 1/,
  ],
  [
    'an entry was taken out',
    journal({ acknowledged: without(1), rows: chained(ENTRIES).slice(1) }),
    /chain breaks at journal entry 2/,
  ],
  [
    'the approval is not in the journal',
    journal({ acknowledged: without(2), rows: chained(without(2)) }),
    /0 decisions at gate point/,
  ],
  [
    'the end is not in the journal',
    journal({ acknowledged: without(4), rows: chained(without(4)) }),
    /ends with decision/,
  ],
  ['nothing was acknowledged', journal({ acknowledged: [] }), /acknowledges no journal entry/],
  [
    'the anchors do not agree',
    journal({ verified: { code: 1, said: 'entry 3 was removed' } }),
    /entry 3 was removed/,
  ],
];

it.each(BREAKAGES)('finds that %s', (_title, change, found) => {
  expect(wrongIn({ ...GOOD, ...change }).join('\n')).toMatch(found);
});
