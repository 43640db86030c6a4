/** Whatever is decided, by whomever: a run does what the model of decisions says, and nothing breaks it. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import fc from 'fast-check';
import { verifyProof } from '../../activities/proof/verify.js';
import { decisionChoices } from '../../src/model/decision.js';
import type { RunView } from '../../src/model/run.js';
import type { EarlierUse } from '../../src/store/codes.js';
import { patient } from '../support/toy-scenario.js';
import { openToyWorld, permanent, type ToyRun, type ToyWorld } from '../support/toy-world.js';
import { type Command, commands, decisionOf, NAMES, settings } from './decision-cases.js';
import { DecisionModel, type Setting, seenIn } from './decision-model.js';
import { cases, counted } from './effort.js';
import { NOW_MS, newMeans, ProofModel, wellFormed } from './proof-model.js';

const means = new Map(NAMES.map((name, index) => [name as string, newMeans(index)]));
const IN_ONE_RUN = 25;

let world: ToyWorld;
beforeAll(async () => {
  world = await openToyWorld();
});
afterAll(() => world.worker.stop());

/** @returns whether it was accepted; anything but an answer is thrown on */
async function sent(run: ToyRun, value: unknown): Promise<boolean> {
  try {
    await run.handle.executeUpdate('decide', { args: [value], updateId: randomUUID() });
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const { cause } = error;
    if (!(cause instanceof ApplicationFailure) || cause.type !== 'DecisionRefused') throw error;
    expect(cause.message).not.toBe('');
    return false;
  }
}

async function signalled(run: ToyRun, value: unknown): Promise<boolean> {
  try {
    await run.handle.signal('decide', value);
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

const refusedSignals = ({ warnings }: RunView) =>
  warnings.filter(({ text }) => text.startsWith('A signal was refused.')).length;

/** The view once the run has come to what the model says. */
async function settled(run: ToyRun, model: DecisionModel, signals: number): Promise<RunView> {
  const deadline = Date.now() + 10_000;
  if (model.over !== undefined) await run.handle.result();
  for (;;) {
    const view = await run.view();
    const same = isDeepStrictEqual(seenIn(view), model.seen()) && refusedSignals(view) >= signals;
    if (same) return view;
    if (Date.now() > deadline) {
      expect({ ...seenIn(view), signals: refusedSignals(view) }).toEqual({ ...model.seen(), signals });
      throw new Error('never');
    }
    await new Promise((later) => setTimeout(later, 4));
  }
}

async function begin(setting: Setting): Promise<ToyRun> {
  const { people, gates, breakGlass, failing } = setting;
  world.journal.length = 0;
  world.journals.clear();
  world.proofs.length = 0;
  world.calls.length = 0;
  const claims = new Map<string, string>();
  world.verify = verifyProof({
    now: () => NOW_MS,
    claim: async ({ authenticator, counter, statementSha256, runId, system }) => {
      const name = `${authenticator} ${counter}`;
      const first = claims.get(name) ?? statementSha256;
      claims.set(name, first);
      const earlier: EarlierUse = { runId, system, usedAt: new Date(NOW_MS).toISOString() };
      return first === statementSha256 ? undefined : earlier;
    },
  });
  world.behave.set('build', ({ saw }) => {
    if (failing && saw === 'propose of noon') throw permanent('No room.');
    return 'built';
  });
  return world.start({}, {}, undefined, {
    people: [...people],
    breakGlass,
    scenarios: { corruption: { budgets: {}, gates } },
  } as never);
}

async function play(setting: Setting, all: readonly Command[]): Promise<void> {
  const run = await begin(setting);
  const view = await run.view();
  const proofs = new ProofModel(view.runId, view.planHash, means);
  const model = new DecisionModel(setting, proofs);
  const past: unknown[] = [];
  const mustBeJournaled: string[] = [];
  let signals = 0;
  let now = await settled(run, model, signals);
  const openingOf = (on: string) =>
    now.openDecisions.find(({ gate, step }) => on === step || on === gate)?.since ?? '';
  try {
    for (const [index, command] of all.entries()) {
      const address = `192.0.2.${index}`;
      const value = decisionOf(command, { model, proofs, openingOf, sent: past, address });
      past.push(value);
      const opening = openingOf(wellFormed(value) ? value.on : '');
      const wasOver = model.over !== undefined;
      const expected = model.take(value, opening);
      counted(`decisions ${expected ? 'accepted' : 'refused'}`);
      if (!expected && !wasOver && wellFormed(value) && value.proof !== undefined) {
        mustBeJournaled.push(`${value.choice} ${value.on} by ${value.by}`);
      }
      if (command.channel === 'signal') {
        const arrived = await signalled(run, value);
        if (arrived && !expected && !wasOver) signals += 1;
      } else if (command.twice && expected && (value as { choice: string }).choice !== 'retry') {
        const answers = await Promise.all([sent(run, value), sent(run, value)]);
        expect({ value, accepted: answers.filter(Boolean).length }).toEqual({ value, accepted: 1 });
        // Who comes second is refused, and may have spoilt a code for good by then.
        model.take(value, opening);
      } else {
        expect({ value, accepted: await sent(run, value) }).toEqual({ value, accepted: expected });
      }
      now = await settled(run, model, signals);
    }
  } finally {
    if (model.over === undefined) await run.handle.terminate('test over').catch(() => undefined);
  }
  await expectUnbroken(run);
  if (model.over === undefined) return;
  const written = world.journal.filter(({ kind }) => kind === 'refused');
  for (const words of mustBeJournaled) {
    const entry = written.findIndex(({ text }) => text.startsWith(words));
    expect({ words, entry }).not.toEqual({ words, entry: -1 });
    expect(written[entry]?.facts).toEqual(expect.any(Array));
    written.splice(entry, 1);
  }
}

const { WorkflowTaskFailedCause: Cause } = temporal.api.enums.v1;
/** Of these a task fails when more arrives meanwhile, or the run is ended. */
const USUAL: readonly unknown[] = [
  Cause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
  Cause.WORKFLOW_TASK_FAILED_CAUSE_FORCE_CLOSE_COMMAND,
];

/** Nothing that was sent made the workflow's own code fail. */
async function expectUnbroken(run: ToyRun): Promise<void> {
  const { events } = await run.handle.fetchHistory();
  const failures = (events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
    failed == null || USUAL.includes(failed.cause) ? [] : [`${failed.cause}: ${failed.failure?.message}`],
  );
  expect(failures).toEqual([]);
}

test('any people, gates and decisions: the run does what the model says', async () => {
  const { numRuns, ...seed } = cases(100);
  const sequence = fc.array(commands, { minLength: IN_ONE_RUN, maxLength: IN_ONE_RUN });
  await fc.assert(fc.asyncProperty(settings(means), sequence, play), {
    numRuns: Math.ceil(numRuns / IN_ONE_RUN),
    ...seed,
    // Each try on the way to a smaller example would be a run of its own.
    endOnFailure: true,
  });
});

test('anything at all as a decision is answered, refused, and changes nothing', async () => {
  const people = NAMES.map((name) => ({
    name,
    roles: ['lead', 'incident-commander'],
    contacts: [],
    proofs: { keys: [means.get(name)?.publicKey ?? ''] },
  }));
  const gates = { point: patient, promote: patient };
  const run = await begin({ people, gates, failing: false });
  const before = seenIn(await run.waitsFor('gate-point'));
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constantFrom('\ud800', '\u0000', ''));
  const anything = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.uint8Array(), text);
  const almost = fc.record(
    {
      on: fc.oneof(fc.constantFrom('point', 'run', 'build'), anything),
      choice: fc.oneof(fc.constantFrom(...decisionChoices), anything),
      by: fc.oneof(fc.constantFrom(...NAMES), anything),
      reason: fc.oneof(text, anything),
      change: fc.oneof(fc.constant({ point: '2026-03-01T11:00:00Z' }), anything),
      to: fc.oneof(fc.constantFrom(...NAMES), anything),
      planHash: anything,
      proof: fc.oneof(fc.record({ at: text, signature: text, totp: text }, { requiredKeys: [] }), anything),
      origin: fc.oneof(fc.record({ address: text, agent: text }), anything),
      [String.fromCharCode(0)]: anything,
    },
    { requiredKeys: ['on', 'choice', 'by'], noNullPrototype: false },
  );
  let signals = 0;
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, almost), fc.nat(9), async (value, channel) => {
      counted('shapes refused');
      if (channel > 0) expect(await sent(run, value)).toBe(false);
      else if (await signalled(run, value)) signals += 1;
    }),
    { ...cases(100), endOnFailure: true },
  );
  const after = await run.until((view) => refusedSignals(view) >= Math.min(signals, 50));
  expect(seenIn(after)).toEqual(before);
  await expectUnbroken(run);
  await run.handle.terminate('test over');
});
