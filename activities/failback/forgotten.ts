import { setTimeout as wait } from 'node:timers/promises';
import { formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { activitySignal } from '../context.js';
import type { FailbackActivities, Summarised } from '../contract.js';

/** What a resolver was given before the TTL was lowered it may hold for the old TTL: users still work meanwhile. */
export async function awaitForgotten(
  { record }: Parameters<FailbackActivities['awaitForgotten']>[0],
  update: (progress: Progress) => void,
): Promise<Summarised> {
  const waits = record.ttl > record.recoveryTtl ? record.ttl * 1000 : 0;
  const begun = performance.now();
  for (let left = waits; left > 0; left = waits - (performance.now() - begun)) {
    update({
      done: Math.round((waits - left) / 1000),
      total: Math.round(waits / 1000),
      unit: 'seconds',
      text: `resolvers forget the answer of ${record.ttl} s`,
    });
    await wait(Math.min(left, 500), undefined, { signal: activitySignal() });
  }
  return {
    summary:
      waits === 0
        ? `the TTL of ${record.name} is always ${record.ttl} s: nothing had to be waited for`
        : `waited ${formatDuration(waits)}: answers of before the TTL was lowered are forgotten`,
  };
}
