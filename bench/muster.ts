/** A recovery by Muster, with everything decided as soon as it is asked. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Corruption } from '../lab/break/corruption.js';
import { labEnvironment } from '../lab/environment.js';
import { provenInLab } from '../lab/people.js';
import type { LabState } from '../lab/state.js';
import type { OpenDecision, RunInput, RunView, ScenarioParams } from '../src/model/run.js';
import type { Said } from '../src/people/statement.js';
import { loadRunbook } from '../src/runbook/load.js';
import type { Runbook } from '../src/runbook/schema.js';
import { connectTemporal, type TemporalSession } from '../src/temporal/connection.js';
import { decide } from '../src/temporal/decide.js';
import { newRunId } from '../src/temporal/names.js';
import { lookAt } from '../src/temporal/observe.js';
import { type RunHandle, startRun } from '../src/temporal/runs.js';
import { findTemporal } from '../src/temporal/target.js';
import { planHash } from '../workflows/engine/hash.js';
import { type ScenarioName, scenarios } from '../workflows/scenarios.js';

/** As often as whoever watches looks. */
const LOOK_EVERY_MS = 300;
const WITHOUT_PROOF = 'a benchmark: nothing of it is left';

/** Which recovery is begun. */
export interface RecoveryWanted {
  readonly system: string;
  readonly scenario: ScenarioName;
  readonly params: ScenarioParams;
}

/** Of the ledger, to before the bad change. */
export function fromCorruption({ startedAt }: Pick<Corruption, 'startedAt'>): RecoveryWanted {
  return { system: 'payymo', scenario: 'corruption', params: { before: startedAt } };
}

/** What a recovery of a broken lab is begun with, detected now. */
export async function prepareRun(state: LabState, { system, scenario, params }: RecoveryWanted) {
  const runbook = await runbookOf(state, system);
  const now = new Date();
  const { document } = scenarios[scenario].buildPlan(runbook);
  const commander = runbook.people[0]?.name ?? '';
  const input: RunInput<Runbook, ScenarioParams> = {
    runId: newRunId(system, scenario, now, randomBytes(2).toString('hex')),
    mode: 'real',
    commander,
    requestedBy: commander,
    detectedAt: now.toISOString(),
    planHash: planHash(document),
    expectations: {},
    params,
    runbook,
  };
  return { input, document };
}

/** Begins a recovery in a broken lab and hands it to `work`. */
export async function withRun<T>(
  state: LabState,
  wanted: RecoveryWanted,
  work: (session: TemporalSession, run: RunHandle) => Promise<T>,
): Promise<T> {
  const { input } = await prepareRun(state, wanted);
  return withSession(state, async (session) => {
    const run = await startRun(session, {
      ...{ system: wanted.system, scenario: wanted.scenario, input },
      summary: 'benchmark',
      details: 'A recovery that is measured.',
      rtoDeadline: input.detectedAt,
    });
    return work(session, run);
  });
}

export async function withSession<T>(
  state: LabState,
  work: (session: TemporalSession) => Promise<T>,
): Promise<T> {
  const session = await connectTemporal(await findTemporal(labEnvironment(state)));
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** The lab's own copy. */
export async function runbookOf(state: LabState, system: string): Promise<Runbook> {
  return (await loadRunbook(join(state.runbooks, `${system}.yaml`))).runbook;
}

/** What whoever measures wants to know. */
export interface Sights {
  /** Called before somebody's word is sent. */
  readonly decides?: (open: OpenDecision) => void;
}

/**
 * Looks at a run again and again, approves what it asks for, goes on where the fence of a primary that is gone cannot be proven, and
 * returns the first view that satisfies `enough`.
 *
 * @throws Error when the run breaks off or another step fails
 */
export async function seeThrough(
  session: TemporalSession,
  run: RunHandle,
  state: LabState,
  enough: (view: RunView) => boolean,
  sights: Sights = {},
): Promise<RunView> {
  const runbook = await runbookOf(state, run.system);
  const sworn = new Set<string>();
  for (;;) {
    const { view, brokenOff } = await lookAt(session, run);
    if (brokenOff !== undefined) throw new Error(`the run of ${run.system} broke off: ${brokenOff}`);
    if (view !== undefined) {
      if (enough(view)) return view;
      for (const open of view.openDecisions) {
        const opening = `${open.step} ${open.since}`;
        const words = sworn.has(opening) ? [] : wordsOn(open, runbook);
        if (open.gate === undefined) sworn.add(opening);
        for (const word of words) {
          sights.decides?.(open);
          await decide(session, run, await provenInLab(state.people, view, word), open);
        }
      }
    }
    await delay(LOOK_EVERY_MS);
  }
}

/** The next approval of a gate, or all that it takes to go on without the proof of a fence. */
export function wordsOn(
  open: Pick<OpenDecision, 'gate' | 'step' | 'question' | 'roles' | 'choices' | 'approvals'>,
  { people, breakGlass }: Pick<Runbook, 'people' | 'breakGlass'>,
): readonly Said[] {
  const having = (roles: readonly string[]) =>
    people.filter((person) => person.roles.some((role) => roles.includes(role))).map(({ name }) => name);
  const { gate, step, question, roles, choices, approvals } = open;
  if (gate !== undefined) {
    const by = having(roles).find((name) => !approvals.some((given) => given.by === name));
    if (by === undefined) throw new Error(`nobody is left who could approve ${gate}`);
    return [{ on: gate, choice: 'approve', by }];
  }
  if (breakGlass === undefined || !choices.some(({ choice }) => choice === 'override')) {
    throw new Error(`${step} failed: ${question}`);
  }
  return having(breakGlass.roles)
    .slice(0, breakGlass.people)
    .map((by): Said => ({ on: step, choice: 'override', by, reason: WITHOUT_PROOF }));
}

/** @returns the finished run */
export function recoverWithMuster(state: LabState, wanted: RecoveryWanted): Promise<RunView> {
  return withRun(state, wanted, (session, run) => untilRecovered(session, run, state));
}

/** @returns the finished run; @throws Error when it ended in another way */
export async function untilRecovered(
  session: TemporalSession,
  run: RunHandle,
  state: LabState,
): Promise<RunView> {
  const view = await seeThrough(session, run, state, ({ endedAt }) => endedAt !== undefined);
  if (view.status !== 'recovered') throw new Error(`the run of ${run.system} ended as ${view.status}`);
  return view;
}

/**
 * Time of a finished run from its start to its end, fresh backups and report included, without the time in which only a
 * person was awaited. Both gates are behind it when the service is back, where the clock's own count of waiting ends.
 */
export function workingMs({ endedAt = '', clock }: RunView): number {
  return Date.parse(endedAt) - Date.parse(clock.startedAt) - clock.waitingMs;
}
