/** A recovery by Muster, with the gates decided as soon as they open. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Corruption } from '../lab/break/corruption.js';
import { labEnvironment } from '../lab/environment.js';
import { type LabPeople, provenInLab } from '../lab/people.js';
import type { LabState } from '../lab/state.js';
import type { CorruptionParams, RunInput, RunView } from '../src/model/run.js';
import { loadRunbook } from '../src/runbook/load.js';
import type { Runbook } from '../src/runbook/schema.js';
import { connectTemporal, type TemporalSession } from '../src/temporal/connection.js';
import { decide } from '../src/temporal/decide.js';
import { newRunId } from '../src/temporal/names.js';
import { lookAt } from '../src/temporal/observe.js';
import { type RunHandle, startRun } from '../src/temporal/runs.js';
import { findTemporal } from '../src/temporal/target.js';
import { planHash } from '../workflows/engine/hash.js';
import { scenarios } from '../workflows/scenarios.js';

const APPROVER = 'database-lead';
/** As often as whoever watches looks. */
const LOOK_EVERY_MS = 300;

/** Begins the recovery of a broken lab and hands it to `work`. */
export async function withRun<T>(
  state: LabState,
  damage: Corruption,
  work: (session: TemporalSession, run: RunHandle) => Promise<T>,
): Promise<T> {
  const { runbook } = await loadRunbook(join(state.runbooks, 'payymo.yaml'));
  const now = new Date();
  const input: RunInput<Runbook, CorruptionParams> = {
    runId: newRunId('payymo', 'corruption', now, randomBytes(2).toString('hex')),
    mode: 'real',
    commander: 'on-call',
    requestedBy: 'on-call',
    detectedAt: now.toISOString(),
    planHash: planHash(scenarios.corruption.buildPlan(runbook).document),
    expectations: {},
    params: { before: damage.startedAt },
    runbook,
  };
  const session = await connectTemporal(await findTemporal(labEnvironment(state)));
  try {
    const run = await startRun(session, {
      system: 'payymo',
      scenario: 'corruption',
      summary: 'benchmark',
      details: 'A recovery that is measured.',
      rtoDeadline: now.toISOString(),
      input,
    });
    return await work(session, run);
  } finally {
    await session.close();
  }
}

/** Looks at a run again and again, approves what it asks for, and returns the first view that satisfies `enough`. */
export async function seeThrough(
  session: TemporalSession,
  run: RunHandle,
  people: LabPeople,
  enough: (view: RunView) => boolean,
): Promise<RunView> {
  for (;;) {
    const { view, brokenOff } = await lookAt(session, run);
    if (brokenOff !== undefined) throw new Error(`the run broke off: ${brokenOff}`);
    if (view !== undefined) {
      if (enough(view)) return view;
      for (const open of view.openDecisions) {
        if (open.gate === undefined) throw new Error(`${open.step} failed: ${open.question}`);
        const decision = { on: open.gate, choice: 'approve' as const, by: APPROVER };
        await decide(session, run, await provenInLab(people, view, decision), open);
      }
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** @returns the finished run */
export async function recoverWithMuster(state: LabState, damage: Corruption): Promise<RunView> {
  return withRun(state, damage, async (session, run) => {
    const view = await seeThrough(session, run, state.people, ({ endedAt }) => endedAt !== undefined);
    if (view.status !== 'recovered') throw new Error(`the run ended as ${view.status}`);
    return view;
  });
}

/**
 * Time of a finished run from its start to its end, fresh backups and report included, without the time in which only a
 * person was awaited. Both gates are behind it when the service is back, where the clock's own count of waiting ends.
 */
export function workingMs({ endedAt = '', clock }: RunView): number {
  return Date.parse(endedAt) - Date.parse(clock.startedAt) - clock.waitingMs;
}
