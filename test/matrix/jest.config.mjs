/** The cells of the test matrix: whole recoveries, which `npm test` leaves out. */
import base from '../../jest.config.mjs';

export default {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/matrix/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  reporters: ['default', '<rootDir>/test/matrix/support/reporter.mjs'],
};
