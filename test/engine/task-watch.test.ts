import { TaskWatch } from '../../workflows/engine/task-watch.js';

/** A worker that has just been given the run: what it repeats, up to the last task that was completed. */
function repeated(): TaskWatch {
  const watch = new TaskWatch();
  for (const [length, size] of [
    [4, 900],
    [110, 93_535],
    [115, 94_993],
  ] as const) {
    expect(watch.wasAhead({ length, size, replaying: true })).toBe(false);
    watch.answered(2);
  }
  return watch;
}

test('one task after the other, with and without questions between, is never done again', () => {
  const watch = repeated();
  let [length, size] = [124, 98_000];
  for (const events of [0, 1, 5, 0, 0, 3]) {
    expect(watch.wasAhead({ length, size, replaying: false })).toBe(false);
    watch.answered(events);
    watch.asked();
    // Completed, what it was answered with, scheduled, started.
    length += events + 3;
    size += 200 * (events + 3);
  }
});

test('several answers to one task are one', () => {
  const watch = repeated();
  expect(watch.wasAhead({ length: 124, size: 98_000, replaying: false })).toBe(false);
  watch.answered(2);
  expect(watch.wasAhead({ length: 124, size: 98_000, replaying: false })).toBe(false);
  watch.answered(1);
  expect(watch.wasAhead({ length: 130, size: 99_000, replaying: false })).toBe(false);
});

test('a task that left nothing, as that of a refused decision, is not missed', () => {
  const watch = repeated();
  expect(watch.wasAhead({ length: 124, size: 98_000, replaying: false })).toBe(false);
  watch.answered(0);
  expect(watch.wasAhead({ length: 125, size: 98_100, replaying: false })).toBe(false);
});

test('what a question brought is known by the size of the history', () => {
  const watch = repeated();
  expect(watch.wasAhead({ length: 123, size: 94_993, replaying: false })).toBe(false);
  watch.asked();
  expect(watch.wasAhead({ length: 140, size: 97_000, replaying: false })).toBe(true);
});

test('where a worker had died with a task, it is known by the events that the answer would have made', () => {
  const watch = repeated();
  expect(watch.wasAhead({ length: 132, size: 107_982, replaying: false })).toBe(false);
  // An activity, a timer and search attributes; none of them is in the history of the task that comes then.
  watch.answered(3);
  watch.asked();
  expect(watch.wasAhead({ length: 134, size: 110_635, replaying: false })).toBe(true);
});
