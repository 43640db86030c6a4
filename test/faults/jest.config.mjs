/** The tests of the repository, for the harness alone. */
import base from '../../jest.config.mjs';

export default { ...base, rootDir: '../..', testMatch: ['<rootDir>/test/faults/*.faults.ts'] };
