import type { RunView } from '../../src/model/run.js';
import { expectationsFor, findRun, pastRuns, saveRun } from '../../src/store/runs.js';
import { finishedRun } from '../support/run-view.js';
import { startStore, type TestStore } from '../support/store.js';

let world: TestStore;

beforeAll(async () => {
  world = await startStore();
});
afterAll(() => world.remove());

/** The finished run again, on another day, with another restore time. */
function runOf(day: number, restoreMs: number, change: Partial<RunView> = {}): RunView {
  const date = `2026-10-${String(day).padStart(2, '0')}`;
  return {
    ...finishedRun,
    runId: `payymo-corruption-${date}`,
    clock: { ...finishedRun.clock, startedAt: `${date}T03:04:02.000Z` },
    steps: finishedRun.steps.map((step) =>
      step.name === 'restore' ? { ...step, workingMs: restoreMs } : step,
    ),
    ...change,
  };
}

describe('past runs', () => {
  test('give median and 90th percentile of each step’s working time', async () => {
    for (const [at, restoreMs] of [90_000, 100_000, 110_000, 120_000, 200_000].entries()) {
      await saveRun(world.store, runOf(at + 1, restoreMs));
    }
    const expectations = await expectationsFor(world.store, 'payymo', 'corruption');
    expect(expectations.restore).toEqual({ medianMs: 110_000, p90Ms: 168_000, runs: 5 });
    // At a gate it is people's time that lets the run go on.
    expect(expectations['gate-point']).toEqual({ medianMs: 143_200, p90Ms: 143_200, runs: 5 });
    expect(await expectationsFor(world.store, 'payymo', 'breach')).toEqual({});
    expect(await expectationsFor(world.store, 'moneyflow', 'corruption')).toEqual({});
  });

  test('leave out steps that were not done, and runs that have not ended', async () => {
    const steps = finishedRun.steps.map((step) =>
      step.name === 'restore' ? { ...step, status: 'skipped' as const, workingMs: 1 } : step,
    );
    await saveRun(world.store, runOf(8, 1, { system: 'spendsync', runId: 'skipped', steps }));
    const { endedAt: _, ...running } = runOf(9, 5, {
      system: 'spendsync',
      runId: 'running',
      status: 'running',
    });
    await saveRun(world.store, running);
    const expectations = await expectationsFor(world.store, 'spendsync', 'corruption');
    expect(expectations.restore).toBeUndefined();
    expect(expectations.promote).toEqual({ medianMs: 1_800, p90Ms: 1_800, runs: 1 });
  });

  test('leave out steps that had nothing to do: the way that they are for was not gone', async () => {
    const steps = finishedRun.steps.map((step) =>
      step.name === 'restore'
        ? { ...step, workingMs: 2, summary: 'nothing to do: the standby takes over' }
        : step,
    );
    await saveRun(world.store, runOf(7, 2, { system: 'practice-hub', runId: 'by-standby', steps }));
    const expectations = await expectationsFor(world.store, 'practice-hub', 'corruption');
    expect(expectations.restore).toBeUndefined();
    expect(expectations.promote?.runs).toBe(1);
  });

  test('are found by run, by system and as the latest of all, newest first', async () => {
    await saveRun(world.store, runOf(20, 1, { system: 'accubooks', runId: 'accubooks-1' }));
    await saveRun(world.store, runOf(21, 1, { system: 'accubooks', runId: 'accubooks-2' }));
    expect((await findRun(world.store, 'accubooks-1'))?.runId).toBe('accubooks-1');
    expect((await findRun(world.store, 'accubooks'))?.runId).toBe('accubooks-2');
    expect((await findRun(world.store, 'latest'))?.runId).toBe('accubooks-2');
    expect(await findRun(world.store, 'nobody')).toBeUndefined();
    const runs = await pastRuns(world.store, { system: 'accubooks', limit: 10 });
    expect(runs.map(({ runId }) => runId)).toEqual(['accubooks-2', 'accubooks-1']);
    expect(await pastRuns(world.store, { limit: 1 })).toHaveLength(1);
  });

  test('kept twice stay one run, and an older view never replaces a newer one', async () => {
    const early = runOf(22, 1, { runId: 'again', status: 'running', asOf: '2026-10-22T03:05:00.000Z' });
    const late = runOf(22, 7, { runId: 'again', status: 'recovered', asOf: '2026-10-22T03:09:00.000Z' });
    for (const view of [early, late, early]) await saveRun(world.store, view);
    expect(await findRun(world.store, 'again')).toEqual(late);
  });
});
