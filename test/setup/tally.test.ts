import { count } from '../../setup/tally.mjs';

const results = (changes: Partial<Parameters<typeof count>[0] & object> = {}) => ({
  numPassedTests: 10,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  ...changes,
});

test('types, lint and tests are counted together', () => {
  expect(count(results(), [true, true], true)).toEqual({ passed: 12, failed: 0, skipped: 0, exitCode: 0 });
  expect(count(results(), [true, false], true)).toEqual({ passed: 11, failed: 1, skipped: 0, exitCode: 1 });
});

test('a failed test and a suite that could not run are failures', () => {
  expect(count(results({ numFailedTests: 2, numRuntimeErrorTestSuites: 1 }), [true], false)).toMatchObject({
    failed: 3,
    exitCode: 1,
  });
});

test('a run that ended badly for no reason that a test shows has failed', () => {
  expect(count(results(), [true], false)).toMatchObject({ failed: 1, exitCode: 1 });
});

test('a run without any test has failed, and so has one without results', () => {
  expect(count(results({ numPassedTests: 0 }), [true, true], true)).toMatchObject({ failed: 1, exitCode: 1 });
  expect(count(null, [true, true], true)).toMatchObject({ passed: 2, failed: 1, exitCode: 1 });
});

test('skipped tests are told', () => {
  expect(count(results({ numPendingTests: 2, numTodoTests: 1 }), [], true)).toMatchObject({
    skipped: 3,
    exitCode: 0,
  });
});
