/** How the time of each step developed, from the views of past runs. */
import pico from 'picocolors';
import { developmentOf } from '../../src/cli/development.js';
import { renderHistory } from '../../src/cli/render/history.js';
import type { RunView } from '../../src/model/run.js';
import { finishedRun, troubledRun } from '../support/run-view.js';

/** The finished run on other days, its restore taking that long; newest first, as the store gives them. */
function runs(...restoreMs: readonly number[]): RunView[] {
  return restoreMs
    .map((workingMs, index): RunView => {
      const day = String(index + 1).padStart(2, '0');
      return {
        ...finishedRun,
        runId: `run-${day}`,
        clock: { ...finishedRun.clock, startedAt: `2026-10-${day}T03:04:02.000Z` },
        steps: finishedRun.steps.map((step) => (step.name === 'restore' ? { ...step, workingMs } : step)),
      };
    })
    .reverse();
}
const restoreOf = (views: readonly RunView[]) => developmentOf(views).find(({ step }) => step === 'restore');

test('is told run by run, with median and 90th percentile in proportion', () => {
  const restore = restoreOf(runs(10_000, 20_000, 30_000, 40_000, 50_000, 60_000));
  expect(restore?.times.map(({ runId, ms }) => [runId, ms])).toEqual([
    ['run-01', 10_000],
    ['run-02', 20_000],
    ['run-03', 30_000],
    ['run-04', 40_000],
    ['run-05', 50_000],
    ['run-06', 60_000],
  ]);
  expect(restore).toMatchObject({ medianMs: 35_000, p90Ms: 55_000, of: 'work' });
  const gate = developmentOf(runs(1)).find(({ step }) => step === 'gate-promote');
  expect(gate).toMatchObject({ of: 'people', medianMs: 81_700 });
});

test('leaves out what was not done, and other scenarios', () => {
  expect(restoreOf([troubledRun, ...runs(10_000)])?.times).toHaveLength(1);
  expect(developmentOf(runs(10_000), 'site-loss')).toEqual([]);
});

test.each([80, 120])('fits into %i columns, the newest run at the right', (width) => {
  const views = runs(10_000, 20_000, 30_000, 40_000, 50_000, 600_000);
  const text = renderHistory(views, developmentOf(views), pico.createColors(false), width);
  const lines = text.split('\n');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  expect(text).toContain('corruption  time of each step in 6 runs');
  expect(lines.find((line) => /^ +step/.test(line))).toMatch(/median +90 % .*10-05 +10-06$/);
  expect(lines.find((line) => /^ +restore/.test(line))).toMatch(/0:35 +5:25 .* 0:50 +10:00 +▁▁▁▁▂█$/);
});
