/** Sources run through swc; ESM-only packages are transformed too, because jest loads CommonJS. */
export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // Whole recoveries of the test matrix: npm run test:matrix. Damage at hundreds of places: npm run test:fuzz.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/matrix/[^/]+$', '<rootDir>/test/fuzz/damage/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  extensionsToTreatAsEsm: [],
  transform: {
    '^.+\\.(t|m?j)s$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
      },
    ],
  },
  transformIgnorePatterns: [
    'node_modules/(?!(age-encryption|execa|strip-final-newline|npm-run-path|path-key|onetime|mimic-fn|mimic-function|human-signals|is-stream|get-stream|log-update|ansi-escapes|cli-cursor|restore-cursor|slice-ansi|is-fullwidth-code-point|strip-ansi|ansi-regex|wrap-ansi|string-width|get-east-asian-width|ansi-styles|environment)/)',
  ],
  globalSetup: '<rootDir>/test/support/global-setup.mjs',
  globalTeardown: '<rootDir>/test/support/global-teardown.mjs',
  testTimeout: 60_000,
};
