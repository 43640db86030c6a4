import { busyPercent, parseTimes } from '../../bench/machine.js';
import { compare, keepsLimit, toJson, toTable } from '../../bench/measurement.js';
import { parsePeak } from '../../bench/memory.js';
import { workingMs } from '../../bench/muster.js';
import { median } from '../../bench/statistics.js';
import { differences } from '../../bench/step-cost.js';
import { finishedRun } from '../support/run-view.js';

const recovery = compare('recovery', 1.1, 3, [
  { name: 'musterMs', values: [53_000, 51_000, 52_000.4567] },
  { name: 'byHandMs', values: [50_000, 70_000, 48_000] },
]);

describe('a measurement', () => {
  test('divides the median of one side by that of the other', () => {
    expect(recovery).toEqual({
      name: 'recovery',
      ratio: 52_000.4567 / 50_000,
      limit: 1.1,
      runs: 3,
      raw: { musterMs: 52_000.4567, byHandMs: 50_000 },
    });
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(() => median([])).toThrow(RangeError);
    expect(() => compare('recovery', null, 1, [recoveryOf(1), recoveryOf(0)])).toThrow(RangeError);
  });

  test('keeps its limit up to the limit itself; what was not promised cannot be missed', () => {
    const at = (ratio: number, limit: number | null) => keepsLimit({ ...recovery, ratio, limit });
    expect([at(1.1, 1.1), at(1.11, 1.1), at(9, null)]).toEqual([true, false, true]);
  });

  test('is one JSON object a benchmark, with the medians beside name, ratio, limit and runs', () => {
    const raw = { ownersWayMs: 100_000 };
    const unlimited = { ...recovery, name: 'owners-way', limit: null, raw, note: 'one after another' };
    expect(JSON.parse(toJson([recovery, unlimited]))).toEqual([
      { name: 'recovery', ratio: 1.04, limit: 1.1, runs: 3, musterMs: 52_000.457, byHandMs: 50_000 },
      {
        name: 'owners-way',
        ratio: 1.04,
        limit: null,
        runs: 3,
        ownersWayMs: 100_000,
        note: 'one after another',
      },
    ]);
  });

  test('is a line of a table that says whether the limit was kept', () => {
    const missed = { ...recovery, name: 'restore', ratio: 1.2, limit: 1.05, raw: { bareMs: 7.25 } };
    expect(toTable([recovery, missed])).toEqual([
      'benchmark  ratio  limit          runs  medians',
      'recovery    1.04   1.10  kept       3  musterMs 52000, byHandMs 50000',
      'restore     1.20   1.05  MISSED     3  bareMs 7.3',
    ]);
  });
});

function recoveryOf(value: number) {
  return { name: 'ms', values: [value] };
}

test('the time of a run is that from its start to its end without people', () => {
  const { clock } = finishedRun;
  const wholeMs = Date.parse(finishedRun.endedAt ?? '') - Date.parse(clock.startedAt);
  expect(clock.waitingMs).toBeGreaterThan(0);
  expect(workingMs(finishedRun)).toBe(wholeMs - clock.waitingMs);
});

test('the time of a step is that between the beginnings of two activities', () => {
  expect(differences([10, 19.5, 31])).toEqual([9.5, 11.5]);
});

test('peak memory and the load of the machine are read from the kernel', () => {
  expect(parsePeak('Name:\tnode\nVmPeak:\t  999 kB\nVmHWM:\t  2048 kB\nVmRSS:\t 1024 kB\n')).toBe(2_097_152);
  expect(parsePeak('')).toBe(0);
  const before = parseTimes('cpu  100 0 100 700 100 0 0 0 5 0\ncpu0 1 2 3 4\n');
  const after = parseTimes('cpu  150 10 130 780 130 0 0 0 9 0\ncpu0 1 2 3 4\n');
  expect(before).toEqual({ idle: 800, waiting: 100, total: 1000 });
  expect(busyPercent(before, after)).toBeCloseTo(45);
  expect(busyPercent(before, before)).toBe(0);
});
