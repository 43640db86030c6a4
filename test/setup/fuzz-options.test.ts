import { readFuzzOptions } from '../../setup/fuzz.mjs';

test('10,000 cases of everything, unless told otherwise', () => {
  expect(readFuzzOptions([])).toEqual({ only: '', env: { MUSTER_FUZZ_CASES: '10000' } });
  expect(readFuzzOptions(['--cases', '50', '--only', 'proofs', '--seed=-7'])).toEqual({
    only: 'proofs',
    env: { MUSTER_FUZZ_CASES: '50', MUSTER_FUZZ_SEED: '-7' },
  });
  expect(readFuzzOptions(['--help'])).toBe('help');
});

test.each([
  [['--cases', '0'], '--cases: given "0", allowed 1 to 9999999.'],
  [['--only', 'gates'], '--only: given "gates", allowed decisions, proofs, runbooks, damage.'],
  [['--seed', 'x'], '--seed: given "x", allowed a whole number.'],
  [['--more'], "Unknown option '--more'"],
])('%j is answered with what is allowed', (args, message) => {
  expect(() => readFuzzOptions(args)).toThrow(message);
});
