import { choose, readMatrixOptions } from '../../setup/matrix.mjs';
import { cellOf, requiredCells } from '../../setup/matrix-cells.mjs';

test('the whole matrix runs unless told otherwise', () => {
  expect(readMatrixOptions([])).toEqual({ words: [], list: false, lanes: '3', resume: false, keep: false });
});

test('words, lanes and what to keep are read', () => {
  expect(readMatrixOptions(['--only', 'azLoss payymo', '--lanes', '2', '--resume', '--keep'])).toEqual({
    words: ['azLoss', 'payymo'],
    list: false,
    lanes: '2',
    resume: true,
    keep: true,
  });
});

test.each([
  [['--lanes', '0'], '--lanes: given "0"'],
  [['--onyl', 'payymo'], '--onyl'],
])('%j is refused with what is allowed, exit code 2', (args, said) => {
  expect(() => readMatrixOptions(args)).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining(said) }),
  );
});

test.each([
  ['azLoss-payymo.test.ts', 'azLoss payymo'],
  ['test/matrix/objectLoss-practice-hub.test.ts', 'objectLoss practice-hub'],
  ['corruption-payymo-chosen-tables.test.ts', 'corruption payymo chosen-tables'],
  ['regionalLoss-all.test.ts', 'regionalLoss all'],
  ['azloss-payymo.test.ts', undefined],
  ['corruption-nobody.test.ts', undefined],
])('%s tests the cell %s', (file, name) => {
  expect(cellOf(file)?.name).toBe(name);
});

test('there is a cell for every disaster and every system that can meet it', () => {
  expect(requiredCells()).toHaveLength(38);
});

test('cells without a test are named, of what was asked for', () => {
  const files = ['azLoss-payymo.test.ts', 'corruption-payymo.test.ts', 'corruption-payymo-tables.test.ts'];
  const { cells, missing } = choose(files, ['payymo']);
  expect([...cells.keys()]).toEqual(['corruption payymo', 'corruption payymo tables', 'azLoss payymo']);
  expect(missing).toContain('breach payymo');
  expect(missing.filter((name) => !name.includes('payymo'))).toEqual([]);
  expect(choose(files, []).missing).toHaveLength(36);
});

test.each([
  [['azLoss.test.ts'], [], 'azLoss.test.ts is named like no cell'],
  [['azLoss-payymo.test.ts'], ['flood'], 'no cell is called "flood"'],
])('%j with %j is refused, exit code 2', (files, words, said) => {
  expect(() => choose(files, words)).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining(said) }),
  );
});
