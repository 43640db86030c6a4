import { randomUUID } from 'node:crypto';
import type { RunView } from '../../src/model/run.js';
import {
  type Breach,
  breachesOf,
  breachInWords,
  forecastBreach,
} from '../../workflows/engine/breach-watch.js';
import { waitingRun } from '../support/run-view.js';
import { startWorker } from '../support/temporal.js';

const now = Date.parse(waitingRun.asOf);
const hour = 3_600_000;

/** The waiting run with past times that are well within its budgets. */
const known: RunView = {
  ...waitingRun,
  commander: 'chief',
  expectations: Object.fromEntries(
    waitingRun.steps.map(({ name, budgetMs }) => [
      name,
      { medianMs: budgetMs / 10, p90Ms: budgetMs / 5, runs: 5 },
    ]),
  ),
};

/** Detected so long ago that little is left. */
function detectedAgo(view: RunView, ms: number): RunView {
  const detectedAt = new Date(now - ms).toISOString();
  return { ...view, clock: { ...view.clock, detectedAt } };
}

test('nothing is said while every RTO will be met', () => {
  expect(breachesOf(known, now)).toEqual([]);
});

test('the component, by how much, and the step that causes it', () => {
  const slow = {
    ...known,
    expectations: { ...known.expectations, restore: { medianMs: 7 * hour, p90Ms: 8 * hour, runs: 5 } },
  };
  const breaches = breachesOf(slow, now);
  expect(breaches.map(({ component }) => component)).toEqual(['database', 'core-api']);
  expect(breaches[0]).toMatchObject({ because: 'restore', certainty: 'will', targetMs: 6 * hour });
  expect(breachInWords({ ...(breaches[0] as Breach), byMs: 11 * 60_000 })).toBe(
    'database will miss its RTO of 6 h by 11 min, because of restore',
  );
});

test('where only budgets say so it is a maybe', () => {
  const [breach] = breachesOf(detectedAgo({ ...waitingRun, expectations: {} }, 5.5 * hour), now);
  expect(breach).toMatchObject({ component: 'database', certainty: 'may' });
  expect(breachInWords(breach as Breach)).toContain('if steps take their whole budgets');
});

test('what runs is measured: a restore that crawls is told long before it has outlasted its usual time', () => {
  const crawls = {
    restore: { done: 10, total: 1_000, ratePerSecond: 0.04, unit: 'files', text: '' },
  } as const;
  const [breach] = breachesOf(known, now, crawls);
  expect(breach).toMatchObject({ component: 'database', because: 'restore', certainty: 'will' });
  expect(breachesOf(known, now, { restore: { ...crawls.restore, ratePerSecond: 40 } })).toEqual([]);
});

test('where nothing works, who is awaited causes it', () => {
  const waiting = {
    ...known,
    status: 'waiting' as const,
    steps: known.steps.map((step) => (step.name === 'restore' ? { ...step, status: 'done' as const } : step)),
  };
  const [breach] = breachesOf(detectedAgo(waiting, 6 * hour), now);
  expect(breach).toMatchObject({ because: 'point', certainty: 'will' });
});

test('once the service is back, or the run undoes, nothing is foretold', () => {
  const late = detectedAgo(known, 7 * hour);
  expect(breachesOf(late, now)).not.toEqual([]);
  expect(breachesOf({ ...late, clock: { ...late.clock, actualMs: 1 } }, now)).toEqual([]);
  expect(breachesOf({ ...late, status: 'undoing' }, now)).toEqual([]);
});

test('the notice goes to who commands, and says what can be done', () => {
  const [breach] = breachesOf(detectedAgo(known, 6 * hour), now);
  const people = [
    { name: 'chief', roles: ['cto'], contacts: [] },
    { name: 'lead', roles: ['database-lead'], contacts: [] },
    { name: 'on-call', roles: ['incident-commander'], contacts: [] },
  ];
  expect(forecastBreach(breach as Breach)({ view: known, people })).toMatchObject({
    kind: 'forecast-breach',
    severity: 'critical',
    matter: 'time',
    title: expect.stringContaining('database will miss its RTO of 6 h by'),
    to: ['chief', 'on-call'],
    actions: [{ label: 'muster watch payymo', value: expect.any(String) }],
  });
});

test('while people are awaited it is told once, at the moment from which on it would be missed', async () => {
  const worker = await startWorker({});
  try {
    // Everything is done but one step of 10 s, which waits at a gate; 2 s are left for people.
    const begun = Date.now();
    const iso = (ms: number) => new Date(ms).toISOString();
    const view: RunView = {
      ...known,
      asOf: iso(begun),
      status: 'waiting',
      component: 'database',
      components: [{ name: 'database', targetMs: 12_000 }],
      clock: { ...known.clock, detectedAt: iso(begun), deadline: iso(begun + 12_000), targetMs: 12_000 },
      steps: known.steps.map((step) => {
        if (step.name === 'gate-point') return { ...step, waitingMs: 0 };
        return { ...step, status: step.name === known.serviceRestoredBy ? 'pending' : 'done' } as typeof step;
      }),
      expectations: {
        [known.serviceRestoredBy]: { medianMs: 10_000, p90Ms: 10_000, runs: 3 },
        'gate-point': { medianMs: 0, p90Ms: 0, runs: 3 },
      },
    };
    const said = await worker.client.workflow.execute('watchingTime', {
      workflowId: `watching-${randomUUID()}`,
      taskQueue: worker.taskQueue,
      args: [view, 4_000],
    });
    expect(said).toEqual([
      expect.objectContaining({ component: 'database', certainty: 'will', because: 'point' }),
    ]);
    const [{ at }] = said as [{ at: number }];
    expect(at - begun).toBeGreaterThanOrEqual(2_000);
    expect(at - begun).toBeLessThan(3_900);
  } finally {
    await worker.stop();
  }
});
