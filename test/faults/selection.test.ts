/** The most telling cases of the harness, side by side; all of them run with `npm run test:faults`. */
import { caseOf, type FaultCase } from './cases.js';
import { runAll } from './lanes.js';
import type { Outcome } from './outcome.js';
import { runCase } from './run-case.js';

/** The effect has happened twice over where a run takes a lost answer for work that was not done. */
const SELECTION: readonly FaultCase[] = [
  caseOf('lose', { at: 'effect', step: 'promote' }),
  caseOf('kill', { at: 'effect', step: 'cutover' }),
  caseOf('freeze', { at: 'effect', step: 'fence-primary' }),
];

let outcomes: readonly Outcome[] = [];

beforeAll(async () => {
  outcomes = await runAll(
    SELECTION.map((one) => ({ name: one.name, run: () => runCase(one) })),
    SELECTION.length,
  );
}, 540_000);

it.each(SELECTION.map(({ name }) => name))('%s', (name) => {
  expect(outcomes.find((outcome) => outcome.name === name)?.wrong).toEqual([]);
});
