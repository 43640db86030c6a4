import { lastResults, matrixTable } from '../../setup/matrix-table.mjs';

const RIGHT = {
  cell: 'corruption payymo',
  wrong: [],
  wholeMs: 60_000,
  measured: {
    rto: [{ system: 'payymo', component: 'database', targetMs: 21_600_000, actualMs: 31_400 }],
    rpo: [
      { name: 'transactions', targetMs: 300_000, actualMs: 1_500, lostRecords: 15 },
      { name: 'accounts', targetMs: 3_600_000, actualMs: null, lostRecords: null },
    ],
  },
};

test('a line a data class, what was wrong under it, what has no test, and the count', () => {
  const results = [RIGHT, { cell: 'azLoss payymo', wrong: ['the name resolves to 127.0.0.1'], wholeMs: 1 }];
  expect(matrixTable(results, { asked: 3, missing: ['breach payymo'], wholeMs: 90_000 })).toBe(
    [
      'cell               verdict  RTO measured / target  RPO measured / target       lost',
      'corruption payymo  right    database 31.4 s / 6 h  transactions 1.5 s / 5 min  15',
      '                                                   accounts unknown / 1 h      unknown',
      'azLoss payymo      WRONG',
      '    the name resolves to 127.0.0.1',
      'breach payymo  has no test',
      '',
      '2 of 3 cells: 1 right, 1 wrong, 1 without a test, in 1.5 min',
    ].join('\n'),
  );
});

test('the last line of a cell counts, one that was cut short does not', () => {
  const wrong = { ...RIGHT, wrong: ['x'] };
  const text = `${JSON.stringify(wrong)}\n${JSON.stringify(RIGHT)}\n{"cell": "azLo`;
  expect([...lastResults(text).values()]).toEqual([RIGHT]);
});
