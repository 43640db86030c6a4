import fc from 'fast-check';
import type { Progress, RunView, StepStatus, StepView } from '../../src/model/run.js';
import { forecast } from '../../workflows/engine/forecast.js';
import { at, steps, waitingRun } from '../support/run-view.js';

const now = Date.parse(waitingRun.asOf);
const minute = 60_000;

/** The waiting run with past times for every step but the gates. */
const withPast: RunView = {
  ...waitingRun,
  expectations: Object.fromEntries(
    waitingRun.steps
      .filter((step) => step.kind !== 'gate')
      .map((step) => [step.name, { medianMs: step.budgetMs / 10, p90Ms: step.budgetMs / 5, runs: 9 }]),
  ),
};

const restoring = (done: number, more: Partial<Progress> = {}): Record<string, Progress> => ({
  restore: { done, total: 1_000, unit: 'files', text: '', ...more },
});

test('walks the critical path: what past runs took, what has been used of it already, nothing for what is over', () => {
  // restore has used 71.6 s of the 180 s it usually takes; then files 60, point 12, structure 120, promote 12, cutover 30, validate 60
  const { medianDoneAt, worstDoneAt, path, byBudget } = forecast(withPast, {}, now);
  expect(medianDoneAt - now).toBe(180_000 - 71_600 + (60 + 12 + 120 + 12 + 30 + 60) * 1000);
  expect(worstDoneAt - now).toBe(360_000 - 71_600 + 2 * (60 + 12 + 120 + 12 + 30 + 60) * 1000);
  expect(path).toEqual([
    'restore',
    'verify-files',
    'verify-point',
    expect.stringMatching(/^verify-/),
    'promote',
    'cutover',
    'validate',
  ]);
  expect(byBudget).toEqual([]);
});

test('where no past run tells the time budgets bound it, and it is said which', () => {
  const ahead = forecast({ ...waitingRun, expectations: {} }, {}, now);
  expect(ahead.byBudget).toContain('validate');
  expect(ahead.medianDoneAt - now).toBe((30 + 10 + 2 + 20 + 2 + 5 + 10) * minute - 71_600);
});

test('people are not foretold, but named', () => {
  expect(forecast(withPast, {}, now).uncountedPeople).toEqual(['gate-point', 'gate-promote']);
  const known = {
    ...withPast,
    expectations: { ...withPast.expectations, 'gate-promote': { medianMs: 90_000, p90Ms: 200_000, runs: 4 } },
  };
  const counted = forecast(known, {}, now);
  expect(counted.uncountedPeople).toEqual(['gate-point']);
  expect(counted.medianDoneAt - forecast(withPast, {}, now).medianDoneAt).toBe(90_000);
});

test('the measured rate decides where there is one', () => {
  const { remaining } = forecast(withPast, restoring(600, { ratePerSecond: 10 }), now);
  expect(remaining.restore?.medianMs).toBe(40_000);
});

test('work that has outlasted its usual time is not taken for nearly over', () => {
  const { remaining } = forecast(withPast, {}, now + 20 * minute);
  expect(remaining.restore?.medianMs).toBeGreaterThan(minute);
});

test('a breach is told before it happens, with the step that causes it', () => {
  const slow = restoring(10, { ratePerSecond: 0.04 });
  const ahead = forecast(withPast, slow, now);
  const hours = 990 / 0.04 / 3600;
  expect(ahead.breachMs).toBeGreaterThan((hours - 6) * 3_600_000);
  expect(ahead.because).toBe('restore');
  expect(ahead.components['core-api']?.breachMs).toBeGreaterThan(ahead.breachMs ?? 0);
  expect(forecast(withPast, restoring(990, { ratePerSecond: 10 }), now).breachMs).toBeUndefined();
});

test('a step that failed is counted as still to be done, and a person as awaited', () => {
  const failed: RunView = {
    ...withPast,
    steps: withPast.steps.map((step) =>
      step.name === 'restore' ? { ...step, status: 'waiting' as const } : step,
    ),
  };
  const ahead = forecast(failed, {}, now);
  expect(ahead.remaining.restore?.medianMs).toBe(180_000);
  expect(ahead.uncountedPeople).toContain('restore');
});

test('once everything is over nothing is left', () => {
  const over = waitingRun.steps.map(
    (step): StepView => ({ ...step, status: 'done', endedAt: at('03:05:00') }),
  );
  const ahead = forecast({ ...withPast, steps: over }, {}, now);
  expect(ahead).toMatchObject({ medianDoneAt: now, worstDoneAt: now, path: [], uncountedPeople: [] });
});

describe('for any run', () => {
  const names = steps({}).map((step) => step.name);
  const anyView = fc
    .record({
      statuses: fc.array(
        fc.constantFrom<StepStatus>('pending', 'running', 'waiting', 'done', 'skipped', 'undone'),
        {
          minLength: names.length,
          maxLength: names.length,
        },
      ),
      working: fc.array(fc.nat({ max: 10_000_000 }), { minLength: names.length, maxLength: names.length }),
      past: fc.array(
        fc.option(fc.tuple(fc.nat({ max: 5_000_000 }), fc.nat({ max: 5_000_000 })), { nil: undefined }),
        {
          minLength: names.length,
          maxLength: names.length,
        },
      ),
    })
    .map(
      ({ statuses, working, past }): RunView => ({
        ...waitingRun,
        steps: waitingRun.steps.map((step, index) => ({
          ...step,
          status: statuses[index] ?? 'pending',
          workingMs: working[index] ?? 0,
        })),
        expectations: Object.fromEntries(
          names.flatMap((name, index) => {
            const pair = past[index];
            return pair === undefined ? [] : [[name, { medianMs: pair[0], p90Ms: pair[1], runs: 3 }]];
          }),
        ),
      }),
    );
  const rate = fc.option(fc.integer({ min: 1, max: 5_000 }), { nil: undefined });
  const later = fc.nat({ max: 100_000_000 });

  test('nothing is foretold into the past, and the worst is never before the median', () => {
    fc.assert(
      fc.property(anyView, fc.nat({ max: 2_000 }), rate, later, (view, done, ratePerSecond, ms) => {
        const progress = restoring(done, ratePerSecond === undefined ? {} : { ratePerSecond });
        const ahead = forecast(view, progress, now + ms);
        expect(ahead.medianDoneAt).toBeGreaterThanOrEqual(now + ms);
        expect(ahead.worstDoneAt).toBeGreaterThanOrEqual(ahead.medianDoneAt);
        expect(ahead.runOverAt).toBeGreaterThanOrEqual(ahead.medianDoneAt);
        for (const { medianMs, worstMs } of Object.values(ahead.remaining)) {
          expect(medianMs).toBeGreaterThanOrEqual(0);
          expect(worstMs).toBeGreaterThanOrEqual(medianMs);
        }
        for (const component of Object.values(ahead.components)) {
          expect(component.medianDoneAt).toBeGreaterThanOrEqual(now + ms);
        }
      }),
    );
  });

  test('more progress never makes it later', () => {
    fc.assert(
      fc.property(
        anyView,
        fc.nat({ max: 1_000 }),
        fc.nat({ max: 1_000 }),
        rate,
        later,
        (view, one, other, ratePerSecond, ms) => {
          const [less, more] = [Math.min(one, other), Math.max(one, other)].map((done) =>
            forecast(view, restoring(done, ratePerSecond === undefined ? {} : { ratePerSecond }), now + ms),
          );
          // A tenth of a millisecond: sums of fractions are not exact.
          expect(more?.medianDoneAt).toBeLessThanOrEqual((less?.medianDoneAt ?? 0) + 0.1);
          expect(more?.worstDoneAt).toBeLessThanOrEqual((less?.worstDoneAt ?? 0) + 0.1);
        },
      ),
    );
  });
});
