/** Several systems at once on a real Temporal server: order, room, and that nobody holds up anybody else. */
import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { RecoverAllInput, RecoverAllView, SystemStanding } from '../../src/model/recover-all.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { planHash } from '../../workflows/engine/hash.js';
import { recoverAllStatusQuery } from '../../workflows/engine/messages.js';
import { eventually } from '../support/eventually.js';
import { toyScenario } from '../support/toy-scenario.js';
import { held, openToyWorld, permanent, ToyRun, type ToyWorld, toyRunbook } from '../support/toy-world.js';

let world: ToyWorld;
beforeAll(async () => {
  world = await openToyWorld();
}, 60_000);
afterAll(() => world.worker.stop());
afterEach(() => world.behave.clear());

interface Wanted {
  readonly tier?: number;
  readonly dependsOn?: readonly string[];
}

class Undertaking {
  constructor(
    readonly handle: WorkflowHandle,
    private readonly suffix: string,
  ) {}

  static async begin(systems: Readonly<Record<string, Wanted>>, atOnce: number): Promise<Undertaking> {
    const suffix = randomUUID().slice(0, 8);
    const input: RecoverAllInput<Runbook> = {
      id: `all-${suffix}`,
      scenario: 'toy',
      mode: 'real',
      requestedBy: 'ada',
      atOnce,
      systems: Object.entries(systems).map(([name, { tier = 1, dependsOn = [] }]) => {
        const system = `${name}-${suffix}`;
        const runbook = { ...toyRunbook(), system };
        return {
          ...{ system, title: system, tier, dependsOn: dependsOn.map((other) => `${other}-${suffix}`) },
          ...{ component: 'database', targetMs: 3_600_000, summary: system, details: system },
          input: {
            runId: `${system}-run`,
            mode: 'real',
            requestedBy: 'ada',
            commander: 'ada',
            detectedAt: new Date().toISOString(),
            planHash: planHash(toyScenario.buildPlan(runbook).document),
            expectations: {},
            // The toy scenario's own.
            params: { point: 'noon' } as never,
            runbook,
          },
        };
      }),
    };
    const handle = await world.worker.client.workflow.start('recoverAll', {
      workflowId: input.id,
      taskQueue: world.worker.taskQueue,
      args: [input],
    });
    return new Undertaking(handle, suffix);
  }

  run(name: string): ToyRun {
    return new ToyRun(world.worker.client.workflow.getHandle(`${name}-${this.suffix}.real`));
  }

  async standing(name: string): Promise<SystemStanding> {
    const view = await this.handle.query(recoverAllStatusQuery);
    return view.systems.find(({ system }) => system === `${name}-${this.suffix}`) as SystemStanding;
  }

  /** Waits until the systems stand like that: `{ a: 'waiting' }`. */
  async until(states: Readonly<Record<string, SystemStanding['state']>>): Promise<void> {
    await eventually(async () => {
      const now = await Promise.all(
        Object.keys(states).map(async (name) => [name, (await this.standing(name)).state] as const),
      );
      if (now.some(([name, state]) => states[name] !== state))
        throw new Error(`never: ${JSON.stringify(now)}`);
    });
  }

  async approve(name: string, ...gates: readonly string[]): Promise<void> {
    const run = this.run(name);
    for (const gate of gates) {
      await run.waitsFor(`gate-${gate}`);
      await run.decide({ on: gate, choice: 'approve', by: 'ada' });
    }
  }

  result(): Promise<RecoverAllView> {
    return this.handle.result() as Promise<RecoverAllView>;
  }
}

/** The step of these systems works until it is released. */
function holding(step: string) {
  const { release, behaviour } = held();
  world.behave.set(step, behaviour);
  return release;
}

it('begins by tier as there is room, and says what each waits for', async () => {
  const release = holding('build');
  const all = await Undertaking.begin({ late: { tier: 2 }, first: {}, second: {} }, 2);
  await all.until({ first: 'running', second: 'running', late: 'pending' });
  expect(await all.standing('late')).toMatchObject({ because: 'waits for room: 2 at once', works: [] });
  expect(await all.standing('first')).toMatchObject({
    works: ['build'],
    workflowId: expect.stringMatching(/\.real$/),
  });
  release('built');
  // Both wait for people now: they hold no room.
  await all.until({ first: 'waiting', second: 'waiting', late: 'waiting' });
  expect((await all.standing('first')).waits).toMatchObject([
    { on: 'point', failed: false, whom: expect.stringContaining('lead') },
  ]);
  for (const name of ['first', 'second', 'late']) await all.approve(name, 'point', 'promote');
  const { systems, endedAt } = await all.result();
  expect(systems.map(({ state, backAfterMs }) => [state, backAfterMs !== undefined])).toEqual([
    ['recovered', true],
    ['recovered', true],
    ['recovered', true],
  ]);
  expect(endedAt).toEqual(expect.any(String));
}, 60_000);

it('holds nobody up where one fails, is aborted or waits', async () => {
  world.behave.set('build', ({ step }) => {
    if (world.calls.filter((call) => call.step === step).length % 3 === 1) throw permanent('no disk');
    return 'built';
  });
  world.calls.length = 0;
  const all = await Undertaking.begin({ a: {}, b: { dependsOn: ['a'] }, c: { dependsOn: ['b'] } }, 1);
  await all.until({ a: 'waiting', b: 'waiting', c: 'waiting' });
  const failed = (await all.standing('a')).waits.find(({ on }) => on === 'build');
  expect(failed).toMatchObject({ failed: true });
  await all.run('a').decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'no disk there' });
  await all.until({ a: 'aborted' });
  for (const name of ['b', 'c']) await all.approve(name, 'point', 'promote');
  expect((await all.result()).systems.map(({ state }) => state)).toEqual([
    'aborted',
    'recovered',
    'recovered',
  ]);
}, 60_000);

it('leaves alone what was begun by itself, and goes on with the others', async () => {
  const release = holding('propose');
  const all = await Undertaking.begin({ a: {}, b: { tier: 2 } }, 1);
  await all.until({ a: 'running', b: 'pending' });
  const { system, runId } = await all.standing('b');
  const runbook = { ...toyRunbook(), system };
  await world.worker.client.workflow.start('toy', {
    workflowId: `${system}.real`,
    taskQueue: world.worker.taskQueue,
    args: [
      {
        ...{ runId: `${runId}-alone`, mode: 'real', requestedBy: 'bob', commander: 'ada', expectations: {} },
        detectedAt: new Date().toISOString(),
        planHash: planHash(toyScenario.buildPlan(runbook).document),
        ...{ params: { point: 'noon' }, runbook },
      },
    ],
  });
  release('noon');
  await all.until({ a: 'waiting', b: 'refused' });
  expect((await all.standing('b')).because).toContain('begun by itself');
  await all.run('b').decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'a test' });
  await all.approve('a', 'point', 'promote');
  expect((await all.result()).systems.map(({ state }) => state)).toEqual(['recovered', 'refused']);
}, 60_000);

it('begins nothing more once it is called off, and what runs goes on', async () => {
  const release = holding('propose');
  const all = await Undertaking.begin({ a: {}, b: { tier: 2 } }, 1);
  await all.until({ a: 'running', b: 'pending' });
  await all.handle.cancel();
  release('noon');
  await all.approve('a', 'point', 'promote');
  const { systems, calledOff } = await all.result();
  expect({ calledOff, states: systems.map(({ state }) => state) }).toEqual({
    calledOff: true,
    states: ['recovered', 'pending'],
  });
  expect(systems[1]?.because).toContain('called off');
}, 60_000);
