import { plainText, subjectOf } from '../../activities/notify/text.js';
import type { RunView } from '../../src/model/run.js';
import { type StakeholderUpdate, stakeholderUpdate, updateNotice } from '../../src/notices/update.js';
import { forecast } from '../../workflows/engine/forecast.js';
import { finishedRun, troubledRun, waitingRun } from '../support/run-view.js';

function updateOf(view: RunView, nextInMs?: number): StakeholderUpdate {
  const now = Date.parse(view.asOf);
  return stakeholderUpdate(view, forecast(view, {}, now), {
    now,
    ...(nextInMs === undefined ? {} : { nextInMs }),
  });
}

/** The waiting run with past times for every step. */
const known: RunView = {
  ...waitingRun,
  expectations: Object.fromEntries(
    waitingRun.steps.map(({ name }) => [name, { medianMs: 60_000, p90Ms: 120_000, runs: 5 }]),
  ),
};

test('says what is affected, since when, what is done, when it is expected back, and when the next one comes', () => {
  expect(updateOf(known, 1_800_000).text).toBe(`Payymo payments ledger: update of 03:05 UTC

What is affected
  core api, database, web interface, since 03:02 UTC.

What is being done
  The data are being recovered to a separate system.
  The people in charge are deciding on the next step.

When it will be back
  We expect it by 03:25 UTC. Approvals that are still to be given may add to this.

Next update
  By 03:35 UTC, or as soon as this changes.
`);
});

test('a time that only budgets bound is given as a bound', () => {
  const { expected, text } = updateOf(waitingRun);
  expect(expected.kind).toBe('bound');
  expect(text).toContain('If all goes as planned, by 04:00 UTC at the latest.');
  expect(text).not.toContain('Next update');
});

test.each<[string, Partial<RunView>, string]>([
  ['held', { hold: { by: 'chief', reason: 'wait', since: waitingRun.asOf } }, 'paused on purpose'],
  ['undoing', { status: 'undoing' }, 'called off'],
  [
    'stuck at a step that failed',
    {
      steps: waitingRun.steps.map((step) =>
        step.name === 'restore'
          ? {
              ...step,
              status: 'waiting' as const,
              failure: { code: 'X', message: 'secret host down', next: '', at: '', attempts: 3 },
            }
          : step,
      ),
    },
    'did not work as planned',
  ],
])('promises no time while the run is %s', (_how, change, words) => {
  const { expected, text } = updateOf({ ...known, ...change });
  expect(expected).toEqual({ kind: 'unknown' });
  expect(text).toContain('This cannot be said at the moment.');
  expect(text).toContain(words);
  expect(text).not.toContain('secret host');
});

test('once the service is back it says since when, and what is left', () => {
  const back = updateOf({ ...waitingRun, clock: { ...waitingRun.clock, actualMs: 300_000 } });
  expect(back.state).toBe('back');
  expect(back.subject).toBe('Payymo payments ledger: service is back');
  expect(back.text).toContain('The service is back since 03:07 UTC. It was disrupted from 03:02 UTC.');
  expect(back.text).toContain('What is still being done');
  expect(updateOf(finishedRun).text).not.toContain('What is');
});

test('a run that ended without the service back is not taken for a recovery', () => {
  const { state, text } = updateOf(troubledRun, 60_000);
  expect(state).toBe('unresolved');
  expect(text).toContain('Another way is being looked for.');
  expect(text).not.toContain('Next update');
});

test('an exercise says so first', () => {
  expect(updateOf({ ...known, mode: 'drill' }).text).toMatch(
    /^THIS IS AN EXERCISE. No service is affected.\n\n/,
  );
});

test('another day is named', () => {
  const later = Date.parse('2026-11-22T00:10:00Z');
  const { text } = stakeholderUpdate(known, forecast(known, {}, later), { now: later });
  expect(text).toContain('since 2026-11-21 03:02 UTC');
});

test('as a message it has nothing of the run but its words', () => {
  const update = updateOf(known);
  const notice = updateNotice(known, update);
  expect(subjectOf(notice)).toBe('Payymo payments ledger: service disruption');
  expect(plainText(notice)).toBe(update.text);
});
