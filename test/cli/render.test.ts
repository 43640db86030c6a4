/** What holds for every screen, whatever the run. */

import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { changeLines } from '../../src/cli/render/change-log.js';
import { renderStatus } from '../../src/cli/render/status.js';
import { bytes, bytesOf, clock, count, percent, span, utc } from '../../src/cli/render/units.js';
import { renderWatch } from '../../src/cli/render/watch.js';
import type { Progress, RunView, StepStatus } from '../../src/model/run.js';
import type { StepActivity } from '../../src/temporal/progress.js';
import { forecast } from '../../workflows/engine/forecast.js';
import { finishedRun, openPoint, waitingRun } from '../support/run-view.js';

/** Text as it may come from outside: wide, combining, endless, with control characters. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc.constantFrom(
    '\u001b[2J\u001b[Hgone',
    'line\nbreak\r\nand\ttab',
    '漢字'.repeat(60),
    'e\u0301'.repeat(90),
    '\u202eright to left',
    '',
  ),
);

const progress: fc.Arbitrary<Progress> = fc.record(
  {
    done: fc.nat(),
    total: fc.nat(),
    unit: fc.constantFrom(
      'bytes' as const,
      'rows' as const,
      'files' as const,
      'seconds' as const,
      'segments' as const,
    ),
    ratePerSecond: fc.nat(),
    text,
  },
  { requiredKeys: ['done', 'unit', 'text'] },
);

const activity: fc.Arbitrary<StepActivity> = fc.record(
  { attempt: fc.integer({ min: 1, max: 40 }), progress, lastFailure: text },
  { requiredKeys: ['attempt'] },
);

const failure = fc.record({
  code: fc.constant('Broken'),
  message: text,
  next: text,
  at: fc.constant('2026-11-21T03:05:00.000Z'),
  attempts: fc.integer({ min: 1, max: 9 }),
});

/** Steps of the real plan in any state, also in states that no run comes to. */
const anyRun: fc.Arbitrary<{ view: RunView; activity: Record<string, StepActivity> }> = fc
  .record({
    statuses: fc.array(
      fc.constantFrom<StepStatus>('pending', 'running', 'waiting', 'done', 'skipped', 'undone'),
      {
        minLength: finishedRun.steps.length,
        maxLength: finishedRun.steps.length,
      },
    ),
    summaries: fc.array(text, { minLength: finishedRun.steps.length, maxLength: finishedRun.steps.length }),
    failures: fc.array(fc.option(failure, { nil: undefined }), { minLength: 22, maxLength: 22 }),
    working: fc.array(fc.nat({ max: 400_000_000 }), { minLength: 22, maxLength: 22 }),
    activities: fc.array(fc.option(activity, { nil: undefined }), { minLength: 22, maxLength: 22 }),
    status: fc.constantFrom<RunView['status']>(
      'running',
      'waiting',
      'undoing',
      'recovered',
      'aborted',
      'failed',
    ),
    question: text,
    facts: fc.array(fc.record({ label: text, value: text }), { maxLength: 12 }),
    warnings: fc.array(text, { maxLength: 6 }),
    outcome: text,
    mode: fc.constantFrom('real' as const, 'drill' as const),
    passed: fc.boolean(),
    requestedBy: text,
  })
  .map((given) => {
    const ended = ['recovered', 'aborted', 'failed'].includes(given.status);
    const { endedAt: _endedAt, outcome: _outcome, clock: finishedClock, ...rest } = finishedRun;
    const { actualMs: _actual, ...runningClock } = finishedClock;
    const view: RunView = {
      ...rest,
      status: given.status,
      mode: given.mode,
      requestedBy: given.requestedBy,
      pointOfNoReturnPassed: given.passed,
      asOf: '2026-11-21T03:08:00.000Z',
      clock: ended ? finishedClock : runningClock,
      ...(ended
        ? { endedAt: '2026-11-21T03:08:00.000Z', outcome: given.outcome }
        : { abortDoes: given.outcome }),
      steps: finishedRun.steps.map((step, index) => {
        const failed = given.failures[index];
        return {
          ...step,
          status: given.statuses[index] ?? 'pending',
          summary: given.summaries[index] ?? '',
          workingMs: given.working[index] ?? 0,
          ...(failed === undefined ? {} : { failure: failed }),
        };
      }),
      openDecisions: ended ? [] : [{ ...openPoint, question: given.question, facts: given.facts }],
      warnings: given.warnings.map((warning) => ({ at: '2026-11-21T03:05:00.000Z', text: warning })),
    };
    const running = given.activities.flatMap((one, index) =>
      one === undefined ? [] : [[finishedRun.steps[index]?.name ?? '', one] as const],
    );
    return { view, activity: Object.fromEntries(running) };
  });

const now = Date.parse('2026-11-21T03:08:07.000Z');
const progressOf = (of: Record<string, StepActivity>) =>
  Object.fromEntries(
    Object.entries(of).flatMap(([step, { progress: p }]) => (p === undefined ? [] : [[step, p]])),
  );

test('a screen never exceeds its columns and lines, holds no control character, and is the same with and without colour', () => {
  fc.assert(
    fc.property(
      anyRun,
      fc.integer({ min: 40, max: 200 }),
      fc.integer({ min: 8, max: 60 }),
      fc.boolean(),
      ({ view, activity: doing }, width, height, silent) => {
        const state = {
          view,
          activity: doing,
          forecast: forecast(view, progressOf(doing), now),
          ...(silent ? { silence: { what: 'nobody answers', sinceMs: 12_000 } } : {}),
        };
        const plainLines = renderWatch(state, { width, height, now, color: false });
        const painted = renderWatch(state, { width, height, now, color: true });
        expect(plainLines.length).toBeLessThanOrEqual(height);
        for (const line of plainLines) {
          expect(stringWidth(line)).toBeLessThanOrEqual(width);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
          expect(line).not.toMatch(/[\u0000-\u001f\u007f]/);
        }
        expect(painted.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(plainLines);
      },
    ),
    { numRuns: 80 },
  );
});

test('what waits for a person and how it is answered is on the smallest screen', () => {
  for (const height of [14, 18, 23, 39]) {
    const lines = renderWatch(
      { view: waitingRun, activity: {}, forecast: forecast(waitingRun, {}, now) },
      { width: 80, height, now, color: false },
    ).join('\n');
    expect(lines).toContain('WAITS FOR database-lead');
    expect(lines).toContain('muster approve payymo point --by NAME');
    expect(lines).toMatch(/run +restore/);
  }
});

test('status blocks keep to their width too', () => {
  fc.assert(
    fc.property(anyRun, fc.integer({ min: 40, max: 120 }), ({ view, activity: doing }, width) => {
      const run = { view, activity: doing, forecast: forecast(view, progressOf(doing), now) };
      const silent = { name: view.requestedBy, startedAt: view.asOf, trouble: view.requestedBy };
      for (const line of renderStatus([run], [silent], { width, color: false, now })) {
        expect(stringWidth(line)).toBeLessThanOrEqual(width);
      }
    }),
    { numRuns: 40 },
  );
});

test('a log of changes has one line each, whatever the texts are', () => {
  fc.assert(
    fc.property(anyRun, anyRun, (one, other) => {
      for (const line of [...changeLines(undefined, one.view), ...changeLines(one.view, other.view)]) {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u007f]/);
        expect(line).toMatch(/^\d\d:\d\d:\d\d UTC {2}/);
      }
    }),
    { numRuns: 40 },
  );
});

test('figures have one form each', () => {
  expect([clock(0), clock(3_900), clock(72_000), clock(1_800_000), clock(21_600_000), clock(-5)]).toEqual([
    '0:00',
    '0:03',
    '1:12',
    '30:00',
    '6:00:00',
    '0:00',
  ]);
  expect([
    span(40_000),
    span(72_000),
    span(660_000),
    span(21_600_000),
    span(16_200_000),
    span(183_600_000),
    span(59_999),
  ]).toEqual(['40 s', '1 min 12 s', '11 min', '6 h', '4 h 30 min', '2 d 3 h', '1 min']);
  expect([
    bytes(512),
    bytes(8_700_000_000),
    bytes(104_000_000),
    bytes(999_950),
    bytesOf(6_200_000_000, 8_700_000_000),
  ]).toEqual(['512 B', '8.7 GB', '104 MB', '1.0 MB', '6.2 of 8.7 GB']);
  expect([count(18_204), percent(999, 1000), percent(1000, 1000), percent(5, 0)]).toEqual([
    '18,204',
    '99 %',
    '100 %',
    '0 %',
  ]);
  expect(utc('2026-11-20T23:59:40Z', now)).toBe('2026-11-20 23:59:40 UTC');
  expect(utc('2026-11-21T03:02:11Z', now)).toBe('03:02:11 UTC');
});
