/** The most telling cases of the harness, all in one recovery; all of them run with `npm run test:faults`. */
import { caseOf, type FaultCase } from './cases.js';
import { runAll } from './lanes.js';
import type { Outcome } from './outcome.js';
import { runRide } from './run-ride.js';

/** The effect has happened twice over where a run takes a lost answer for work that was not done. */
const SELECTION: readonly FaultCase[] = [
  caseOf('freeze', { at: 'effect', step: 'fence-primary' }),
  caseOf('lose', { at: 'effect', step: 'promote' }),
  caseOf('kill', { at: 'effect', step: 'cutover' }),
];

let outcomes: readonly Outcome[] = [];

beforeAll(async () => {
  outcomes = await runAll([SELECTION], { lanes: 1 }, runRide);
}, 540_000);

it.each(SELECTION.map(({ name }) => name))('%s', (name) => {
  expect(outcomes.map((outcome) => [outcome.name, outcome.wrong])).toContainEqual([name, []]);
});
