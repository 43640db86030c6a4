/** What a test run comes to, in figures that a script can trust. */

/**
 * @typedef {object} Tally
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {number} exitCode
 */

/**
 * @typedef {object} Results what jest writes with --json
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {number} numRuntimeErrorTestSuites suites that could not be run at all
 */

/**
 * Type check and lint count as one test each. A suite that could not run counts as a failed test, and so does a run
 * without results, without any test, or that ended badly for a reason that no test shows.
 * @param {Results | null} results
 * @param {readonly boolean[]} checks
 * @param {boolean} endedWell whether the test runner said so
 * @returns {Tally}
 */
export function count(results, checks, endedWell) {
  const passedChecks = checks.filter(Boolean).length;
  const skipped = results === null ? 0 : results.numPendingTests + results.numTodoTests;
  const passedTests = results?.numPassedTests ?? 0;
  let failed = results === null ? 0 : results.numFailedTests + results.numRuntimeErrorTestSuites;
  if (failed === 0 && (!endedWell || passedTests === 0)) failed = 1;
  failed += checks.length - passedChecks;
  return { passed: passedTests + passedChecks, failed, skipped, exitCode: failed > 0 ? 1 : 0 };
}
