/** A run whose server is lost, anywhere: from its journal it goes on on another one, and ends as it would have. */

import type { JournalEntry } from '../../activities/contract.js';
import { adoptableRun } from '../../src/adopt/from-journal.js';
import { wholeJournal } from '../../src/adopt/whole-journal.js';
import type { RunView } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { BEFORE_THE_FIRST, type ChainedEntry, chain } from '../../src/store/chain.js';
import { journalBody, type RunRef } from '../../src/store/journal-body.js';
import { eventually } from '../support/eventually.js';
import type { ToyParams } from '../support/toy-scenario.js';
import { held, openToyWorld, permanent, statuses, ToyRun, type ToyWorld } from '../support/toy-world.js';

let world: ToyWorld;

beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());
beforeEach(() => {
  world.calls.length = 0;
  world.journal.length = 0;
  world.behave.clear();
});

const names = () => world.calls.map((call) => call.step);
const approve = (on: string) => ({ on, choice: 'approve' as const, by: 'ada' });

function chained(runId: string, entries: readonly JournalEntry[]): ChainedEntry[] {
  const ref: RunRef = { runId, system: 'toy', scenario: 'toy', mode: 'real' };
  return chain(
    BEFORE_THE_FIRST,
    entries.map((entry) => journalBody(ref, entry)),
  );
}

let adoptions = 0;

/** What `muster adopt` does, on the server of the test. */
async function adopt(runId: string, entries: readonly JournalEntry[]): Promise<ToyRun> {
  const journal = {
    entries: chained(runId, entries),
    problems: [],
    signedBy: [],
    otherKeys: [],
    covered: [],
    objects: 1,
  };
  const { scenario, input, adoption } = adoptableRun<Runbook, ToyParams>(
    wholeJournal(journal, undefined).entries,
  );
  adoptions += 1;
  const handle = await world.worker.client.workflow.start(scenario, {
    workflowId: `${runId}-adopted-${adoptions}`,
    taskQueue: world.worker.taskQueue,
    args: [{ ...input, adoption: { ...adoption, by: 'dee', at: new Date().toISOString(), number: 1 } }],
  });
  return new ToyRun(handle);
}

/**
 * Takes the server away once its journal says so much: that is all that is left.
 * @param enough whether the last that is waited for has come
 */
async function lose(
  run: ToyRun,
  enough: (entry: JournalEntry) => boolean,
): Promise<{ runId: string; entries: JournalEntry[]; before: RunView }> {
  const { runId } = await run.view();
  await eventually(async () => {
    if (world.journals.get(runId)?.some(enough) !== true) throw new Error('the journal never said so');
  }, 10_000);
  const before = await run.view();
  await run.handle.terminate('the server is gone');
  const entries = [...(world.journals.get(runId) ?? [])];
  world.journals.delete(runId);
  world.journal.length = 0;
  world.calls.length = 0;
  return { runId, entries, before };
}

async function seeThrough(run: ToyRun): Promise<RunView> {
  for (const gate of ['point', 'promote']) {
    const seen = await run.until(
      ({ steps, openDecisions }) =>
        steps.some((step) => step.name === `gate-${gate}` && step.status === 'done') ||
        openDecisions.some((open) => open.gate === gate),
    );
    if (seen.openDecisions.some((open) => open.gate === gate)) await run.decide(approve(gate));
  }
  return (await run.result()).view;
}

test('wherever the journal stops, the run goes on, does nothing twice that was done, and its journal is one chain', async () => {
  const first = await world.start();
  await seeThrough(first);
  const { runId } = await first.view();
  const whole = [...(world.journals.get(runId) ?? [])];
  const end = whole.findIndex(({ kind }) => kind === 'run-ended');
  expect(end).toBeGreaterThan(20);

  for (let cut = 1; cut <= end; cut++) {
    world.calls.length = 0;
    world.journal.length = 0;
    const left = whole.slice(0, cut);
    const done = left.filter(({ kind }) => kind === 'step-done').map(({ step }) => step);
    const asked = left.filter(({ kind, text }) => kind === 'decision' && text.startsWith('approve'));
    const run = await adopt(runId, left);
    const view = await seeThrough(run);
    expect([cut, view.status]).toEqual([cut, 'recovered']);
    expect([cut, names().filter((name) => done.includes(name))]).toEqual([cut, []]);
    expect(new Set(names()).size).toBe(names().length);
    const again = world.journal.filter(({ kind, text }) => kind === 'decision' && text.startsWith('approve'));
    expect([cut, asked.length + again.length]).toEqual([cut, 2]);
    expect(world.journal[0]).toMatchObject({ index: cut + 1, kind: 'adopted', by: 'dee' });
    expect(world.journal.map(({ index }) => index)).toEqual(world.journal.map((_, at) => cut + 1 + at));
    expect(view).toMatchObject({ runId, adopted: { by: 'dee' }, requestedBy: 'ada' });
    expect(view.clock.startedAt).toBe(whole[0]?.at);
    expect(view.components[0]?.actualMs).toBeGreaterThan(0);
  }
}, 120_000);

test('approvals of a gate that is still open stand', async () => {
  const run = await world.start({}, { approvals: 2 });
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  const { runId, entries, before } = await lose(run, ({ kind }) => kind === 'decision');
  const adopted = await adopt(runId, entries);
  const seen = await adopted.waitsFor('gate-point');
  const [open] = seen.openDecisions.filter(({ gate }) => gate === 'point');
  expect(open?.approvals.map(({ by }) => by)).toEqual(['ada']);
  expect(open?.since).toBe(before.openDecisions.find(({ gate }) => gate === 'point')?.since);
  await expect(adopted.refused(approve('point'))).resolves.toMatch(/ada/);
  await adopted.decide({ ...approve('point'), by: 'cy' });
  await adopted.waitsFor('gate-promote');
  expect(names()).toContain('fence');
});

test('a step that failed waits for the same decision; a step under way is begun again, also while the run is held', async () => {
  world.behave.set('verify', () => {
    throw permanent('no');
  });
  const fencing = held();
  world.behave.set('fence', fencing.behaviour);
  const run = await world.start();
  await run.waitsFor('verify');
  await run.decide(approve('point'));
  await run.until((view) => statuses(view).fence === 'running');
  await run.decide({ on: 'run', choice: 'hold', by: 'ada', reason: 'wait for the bank' });
  await run.decide({ on: 'run', choice: 'hand-over', by: 'ada', to: 'dee' });
  const { runId, entries } = await lose(run, ({ kind }) => kind === 'handed-over');
  world.behave.clear();

  const adopted = await adopt(runId, entries);
  const seen = await adopted.until((view) => statuses(view).fence === 'done');
  expect(seen).toMatchObject({ commander: 'dee', hold: { by: 'ada', reason: 'wait for the bank' } });
  expect(statuses(seen)).toMatchObject({ verify: 'waiting', 'gate-promote': 'pending' });
  expect(seen.openDecisions).toMatchObject([{ step: 'verify' }]);
  expect(names()).toEqual(['fence']);
  await adopted.decide({ on: 'run', choice: 'resume', by: 'dee' });
  await adopted.decide({ on: 'verify', choice: 'retry', by: 'dee' });
  await adopted.waitsFor('gate-promote');
  expect(names()).toEqual(['fence', 'verify']);
}, 30_000);

test('a run that was being undone is undone to its end, newest first', async () => {
  const undoing = held();
  world.behave.set('undo-build', undoing.behaviour);
  const run = await world.start();
  await run.waitsFor('gate-point');
  await run.decide(approve('point'));
  await run.waitsFor('gate-promote');
  const aborting = run
    .decide({ on: 'run', choice: 'abort', by: 'ada', reason: 'false alarm' })
    .catch(() => undefined);
  const { runId, entries } = await lose(run, ({ kind, step }) => kind === 'step-undone' && step === 'fence');
  await aborting;
  world.behave.clear();
  const { view } = await (await adopt(runId, entries)).result();
  expect(view.status).toBe('aborted');
  expect(names()).toEqual(['undo-build']);
  expect(statuses(view)).toMatchObject({ build: 'undone', fence: 'undone' });
}, 30_000);

test('a point that was changed stays changed, and what was built on the old one is not believed', async () => {
  const building = held();
  const run = await world.start();
  await run.waitsFor('gate-point');
  await run.until((view) => statuses(view).verify === 'done');
  world.behave.set('build', building.behaviour);
  await run.decide({ ...approve('point'), change: { point: '2026-11-21T03:00:00Z' } });
  const { runId, entries } = await lose(run, ({ kind, step }) => kind === 'step-done' && step === 'fence');
  world.behave.clear();
  const adopted = await adopt(runId, entries);
  await seeThrough(adopted);
  const { outputs } = await adopted.result();
  expect(names().slice(0, 2)).toEqual(['build', 'verify']);
  expect(outputs.promote).toEqual({
    summary: 'promote of verify of build of propose of 2026-11-21T03:00:00Z',
  });
}, 30_000);
