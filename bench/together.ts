/** Every system of the lab loses its server in one night: all of them recovered at once, beside the slowest one alone. */
import { setTimeout as delay } from 'node:timers/promises';
import { breakServer } from '../lab/break/server-loss.js';
import { WORLD_DISASTERS } from '../lab/break/worlds.js';
import { archiveAll } from '../lab/demo/payments.js';
import { layoutOf } from '../lab/layout.js';
import { type LabState, readState } from '../lab/state.js';
import { isWorld, SYSTEMS, type SystemName } from '../lab/worlds/index.js';
import type { RecoverAllInput } from '../src/model/recover-all.js';
import type { RunView } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import type { TemporalSession } from '../src/temporal/connection.js';
import { findRun, type RunHandle } from '../src/temporal/runs.js';
import { startTogether } from '../src/temporal/undertakings.js';
import { settle, withLab } from './labs.js';
import { limitOf, loadWhile } from './machine.js';
import { compare, type Measurement } from './measurement.js';
import { prepareRun, recoverWithMuster, runbookOf, untilRecovered, withSession } from './muster.js';
import type { Settings } from './settings.js';
import { median } from './statistics.js';

const SCENARIO = 'infrastructureFailure';
/** A run that its parent has begun shows up a moment later. */
const LOOK_EVERY_MS = 100;

type Times = ReadonlyMap<SystemName, number>;

export async function measureTogether({ runs, say, tell }: Settings): Promise<Measurement> {
  const slowest: number[] = [];
  const atOnce: number[] = [];
  const inTurn: number[] = [];
  let note = '';
  for (let run = 0; run < runs; run += 1) {
    const alone = await eachAlone(tell);
    const { result: together, load } = await allAtOnce(tell);
    const [name, longest] = latest(alone);
    const sum = [...alone.values()].reduce((total, ms) => total + ms, 0);
    slowest.push(longest);
    atOnce.push(latest(together)[1]);
    inTurn.push(sum);
    for (const [system, ms] of alone) {
      say(
        `${system}: back after ${seconds(ms)} s alone, ${seconds(together.get(system))} s beside the others`,
      );
    }
    note = `${alone.size} systems; the slowest alone is ${name}; processors ${Math.round(load.busy)} % busy, ${Math.round(load.disk)} % waiting for the disk: what limits it is ${limitOf(load)}`;
    say(note);
  }
  const measured = compare('together', null, runs, [
    { name: 'atOnceMs', values: atOnce },
    { name: 'slowestAloneMs', values: slowest },
  ]);
  return { ...measured, raw: { ...measured.raw, oneAfterAnotherMs: median(inTurn) }, note };
}

/** In one lab, one after the other. */
function eachAlone(tell: Settings['tell']): Promise<Times> {
  return withLab({ worker: 'when-built', systems: SYSTEMS, log: tell }, async ({ dir }) => {
    const times = new Map<SystemName, number>();
    for (const system of SYSTEMS) {
      const state = await now(dir);
      if (!(await has(state, system))) continue;
      await lose(state, system);
      await settle();
      const view = await recoverWithMuster(state, { system, scenario: SCENARIO, params: {} });
      times.set(system, backAt(view) - Date.parse(view.clock.startedAt));
    }
    return times;
  });
}

/** In a fresh lab, begun by one workflow that lets all of them work. */
function allAtOnce(tell: Settings['tell']) {
  return withLab({ worker: 'when-built', systems: SYSTEMS, log: tell }, async (state) => {
    const systems: SystemName[] = [];
    for (const system of SYSTEMS) if (await has(state, system)) systems.push(system);
    for (const system of systems) await lose(await now(state.dir), system);
    await settle();
    return loadWhile(() =>
      withSession(state, async (session) => {
        const begun = Date.now();
        await startTogether(session, await undertaking(state, systems));
        const times = new Map<SystemName, number>();
        const see = async (system: SystemName) => {
          const view = await untilRecovered(session, await begunRun(session, system), state);
          times.set(system, backAt(view) - begun);
        };
        await Promise.all(systems.map(see));
        return times;
      }),
    );
  });
}

async function undertaking(
  state: LabState,
  systems: readonly SystemName[],
): Promise<RecoverAllInput<Runbook>> {
  const prepared = await Promise.all(
    systems.map((system) => prepareRun(state, { system, scenario: SCENARIO, params: {} })),
  );
  return {
    ...{ id: `bench-${Date.now()}`, scenario: SCENARIO, mode: 'real', requestedBy: 'on-call' },
    atOnce: systems.length,
    systems: prepared.map(({ input, document }) => ({
      system: input.runbook.system,
      title: input.runbook.title,
      tier: input.runbook.tier,
      dependsOn: [],
      input,
      component: document.component,
      targetMs: document.rtoMs,
      summary: 'benchmark',
      details: 'A recovery that is measured.',
    })),
  };
}

async function begunRun(session: TemporalSession, system: SystemName): Promise<RunHandle> {
  for (;;) {
    const run = await findRun(session, system, 'real');
    if (run !== undefined) return run;
    await delay(LOOK_EVERY_MS);
  }
}

async function has(state: LabState, system: SystemName): Promise<boolean> {
  return (await runbookOf(state, system)).scenarios[SCENARIO] !== undefined;
}

async function lose(state: LabState, system: SystemName): Promise<void> {
  if (isWorld(system)) await WORLD_DISASTERS['infrastructure-failure'](state, system);
  else {
    // Something was committed after the backup that the lab began with.
    await archiveAll(state);
    await breakServer(state);
  }
}

async function now(dir: string): Promise<LabState> {
  const state = await readState(layoutOf(dir));
  if (state === undefined) throw new Error(`there is no lab in ${dir}`);
  return state;
}

/** When the service was back, proven by use. */
function backAt({ steps, serviceRestoredBy }: RunView): number {
  return Date.parse(steps.find(({ name }) => name === serviceRestoredBy)?.endedAt ?? '');
}

function latest(times: Times): readonly [SystemName, number] {
  const [last] = [...times].sort(([, one], [, other]) => other - one);
  if (last === undefined) throw new Error('no system was recovered');
  return last;
}

function seconds(ms = Number.NaN): string {
  return (ms / 1000).toFixed(1);
}
