import type { RungCheck } from '../contract.js';

/**
 * One check of a validation, with the time that it took.
 * @param title what holds when it passes
 * @param work looks, and says what it has seen
 * @throws what `work` throws
 */
export async function timed(title: string, work: () => Promise<string>): Promise<RungCheck> {
  const begun = performance.now();
  const detail = await work();
  return {
    rung: 8,
    title,
    passed: true,
    tool: 'muster validate',
    toolVersion: '1',
    durationMs: Math.round(performance.now() - begun),
    detail,
  };
}
