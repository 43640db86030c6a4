import { benchmarks } from '../../bench/benchmarks.js';
import { parseOptions } from '../../bench/options.js';

const names = benchmarks.map(({ name }) => name);

test('every promise has its benchmark', () => {
  expect(names).toEqual([
    ...['step', 'decisions', 'restore', 'archive', 'failover', 'clean-point', 'recovery', 'owners-way'],
    ...['regional', 'together', 'memory'],
  ]);
});

test('the command line says which, how large and how often', () => {
  expect(parseOptions([], names)).toEqual({ json: false, size: 1, verbose: false });
  expect(parseOptions(['--json', '--only', 'step', '--size', '2.5', '--runs', '7'], names)).toEqual({
    json: true,
    only: 'step',
    size: 2.5,
    runs: 7,
    verbose: false,
  });
});

test.each([
  [['--only', 'speed'], /Allowed choices are step, decisions/],
  [['--size', '0'], /a number of gigabytes above 0/],
  [['--runs', '1.5'], /a whole number from 1 to 100/],
  [['--fast'], /unknown option/],
])('%j starts nothing', (args, message) => {
  const said: string[] = [];
  const write = jest.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    expect(() => parseOptions(args, names)).toThrow();
  } finally {
    write.mockRestore();
  }
  expect(said.join('')).toMatch(message);
});
