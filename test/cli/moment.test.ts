import fc from 'fast-check';
import { parseMoment } from '../../src/cli/moment.js';
import { InputError } from '../../src/errors.js';

const now = Date.parse('2026-11-21T03:02:11.500Z');
const parse = (text: string) => parseMoment(text, '--before', now);

test.each([
  ['2026-11-21T02:59:39Z', '2026-11-21T02:59:39.000Z'],
  ['2026-11-21T02:59:39.871234Z', '2026-11-21T02:59:39.871234Z'],
  ['2026-11-21T02:59Z', '2026-11-21T02:59:00.000Z'],
  ['2026-11-21 03:59:39 +01:00', '2026-11-21T02:59:39.000Z'],
  ['2026-11-20T21:59:39.5-0500', '2026-11-21T02:59:39.500Z'],
  ['02:59', '2026-11-21T02:59:00.000Z'],
  ['2:59:39', '2026-11-21T02:59:39.000Z'],
  ['02:59:39.871 UTC', '2026-11-21T02:59:39.871Z'],
  ['10 min ago', '2026-11-21T02:52:11.500Z'],
  ['90 s ago', '2026-11-21T03:00:41.500Z'],
  ['1.5 h ago', '2026-11-21T01:32:11.500Z'],
  [' 02:59 ', '2026-11-21T02:59:00.000Z'],
  ['2 days ago', '2026-11-19T03:02:11.500Z'],
])('%s is %s', (given, expected) => {
  expect(parse(given)).toBe(expected);
});

test.each([
  ['2026-11-21T02:59:39', /zone/],
  ['2026-11-21', /zone/],
  ['23:58', /past.*give the date too/],
  ['2026-11-21T04:00:00Z', /past/],
  ['2026-02-30T00:00:00Z', /exist/],
  ['24:00', /between 00:00:00 and 23:59:59/],
  ['2026-11-21T02:59:39+15:00', /zone/],
  ['yesterday', /ago/],
  ['10 min', /ago/],
  ['', /ago/],
  ['1763694000', /ago/],
])('%j is refused with what is allowed', (given, allowed) => {
  let thrown: unknown;
  try {
    parse(given);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InputError);
  const [problem] = (thrown as InputError).problems;
  expect(problem).toMatchObject({ field: '--before', given });
  expect(problem?.allowed).toMatch(allowed);
});

test('whatever is typed, it is a moment of the past or bad input', () => {
  const typed = fc.oneof(
    fc.string(),
    fc.stringMatching(/^\d{1,4}[-:T]\d{1,2}[-:]\d{1,2}.{0,12}$/),
    fc.tuple(fc.nat(), fc.constantFrom('s', 'min', 'h', 'd')).map(([n, unit]) => `${n} ${unit} ago`),
  );
  fc.assert(
    fc.property(typed, (text) => {
      try {
        expect(Date.parse(parse(text))).toBeLessThanOrEqual(now);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
  );
});

test('every moment of the past that is written as ISO 8601 is read as itself', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: now }), (time) => {
      const text = new Date(time).toISOString();
      expect(parse(text)).toBe(text);
    }),
  );
});
