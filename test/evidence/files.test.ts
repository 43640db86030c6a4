import { filesTroubles } from '../../src/evidence/files.js';

const reconciled = {
  ...{ rows: 300, objects: 299, summary: '' },
  ...{ danglingCount: 2, dangling: ['statements/1.txt', 'statements/2.txt'] },
  ...{ orphanedCount: 0, orphaned: [] },
  ...{ differingCount: 1, differing: [{ key: 'statements/3.txt', why: 'its row says 5 bytes, it has 4' }] },
};
const synced = {
  ...{ objects: 300, copied: 299, copiedBytes: 1, same: 0, onlyInTarget: 0, differingLeft: 0, summary: '' },
  ...{ damagedCount: 30, damaged: Array.from({ length: 30 }, (_, i) => ({ key: `f${i}`, why: 'flipped' })) },
};

test('what is wrong with files is named, the first ones by key', () => {
  expect(filesTroubles({ 'reconcile-files': reconciled })).toEqual([
    '2 files are named by a row and are not there: statements/1.txt, statements/2.txt.',
    '1 files are not what their row says: statements/3.txt (its row says 5 bytes, it has 4).',
  ]);
  const [said = ''] = filesTroubles({ 'fill-bucket': synced });
  expect(said).toMatch(
    /^30 files could not be copied as they were written: f0 \(flipped\), .* and 10 more\.$/,
  );
});

test('nothing is said of files that are in order, nor of other outputs', () => {
  const inOrder = { ...reconciled, danglingCount: 0, dangling: [], differingCount: 0, differing: [] };
  expect(
    filesTroubles({ a: inOrder, b: null, c: { summary: 'x' }, d: { restored: 0, summary: '' } }),
  ).toEqual([]);
});
