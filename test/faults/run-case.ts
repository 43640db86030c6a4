/** One case from the empty lab to the verdict. */
import type { FaultCase } from './cases.js';
import { logsOf, wrongAfter } from './facts.js';
import { watchFor } from './moments.js';
import type { Outcome } from './outcome.js';
import { Stage } from './stage.js';
import { strike } from './strike.js';

export async function runCase(one: FaultCase): Promise<Outcome> {
  const begun = performance.now();
  let stage: Stage | undefined;
  let recoveryMs = 0;
  let wrong: readonly string[];
  try {
    stage = await Stage.set();
    const from = performance.now();
    wrong = await recover(stage, one, () => {
      recoveryMs = performance.now() - from;
    });
  } catch (error) {
    wrong = [error instanceof Error ? error.message : String(error)];
  }
  const retried = stage?.retried ?? [];
  const kept = wrong.length > 0 && process.env.MUSTER_FAULTS_KEEP === '1';
  if (kept && stage !== undefined) wrong = [...wrong, `logs: ${logsOf(stage)}`];
  if (!kept) await stage?.strike();
  return {
    name: one.name,
    wrong,
    notes: retried.length === 0 ? [] : [`tried again by the commander: ${[...new Set(retried)].join(', ')}`],
    recoveryMs,
    wholeMs: performance.now() - begun,
  };
}

async function recover(stage: Stage, one: FaultCase, ended: () => void): Promise<readonly string[]> {
  let struck = false;
  let trouble: unknown;
  const watch = watchFor(stage, one.moment, async (reached) => {
    struck = true;
    await strike(stage, one.fault, reached).catch((error: unknown) => {
      trouble = error;
    });
  });
  try {
    await stage.begin();
    const result = await stage.command(watch.interludes);
    ended();
    if (!struck) return ['the moment never came'];
    if (trouble !== undefined) throw trouble;
    return await wrongAfter(stage, result);
  } finally {
    watch.stop();
  }
}
