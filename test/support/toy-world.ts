/** Fake activities for the toy scenario, and a way to start it: what a test wants to happen is said per step. */
import { randomUUID } from 'node:crypto';
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { JournalEntry, MusterActivities, ProofVerdict } from '../../activities/contract.js';
import type { Decision, DecisionAnswer } from '../../src/model/decision.js';
import type { Progress, RunResult, RunView } from '../../src/model/run.js';
import type { GatePolicy, Runbook } from '../../src/runbook/schema.js';
import { chain, headOf } from '../../src/store/chain.js';
import { journalBody } from '../../src/store/journal-body.js';
import { planHash } from '../../workflows/engine/hash.js';
import { decideUpdate, statusQuery } from '../../workflows/engine/messages.js';
import type { Scenario } from '../../workflows/engine/plan.js';
import { startWorker, type TestWorker } from './temporal.js';
import { patient, type ToyCall, type ToyParams, toyScenario } from './toy-scenario.js';

type ProofInput = Parameters<MusterActivities['verifyProof']>[0];
type Behaviour = (call: ToyCall) => Promise<string> | string;

export interface ToyWorld {
  readonly worker: TestWorker;
  /** Steps in the order in which their activity was begun, with what they saw. */
  readonly calls: ToyCall[];
  readonly journal: JournalEntry[];
  /** The same by run, of all runs since the world was opened. */
  readonly journals: Map<string, JournalEntry[]>;
  readonly reports: { readonly view: RunView }[];
  readonly kept: RunView[];
  /** What was asked about proofs. */
  readonly proofs: ProofInput[];
  /** What is thought of a proof; a signature that begins with `good` is good, unless a test says otherwise. */
  verify: (input: ProofInput) => ProofVerdict | Promise<ProofVerdict>;
  /** What the activity of a step does instead of answering at once. */
  readonly behave: Map<string, Behaviour>;
  /** What the journal does before it takes entries; @returns the hash that it answers with, where it is not the chain's. */
  takeEntries: () => Promise<string | undefined>;
  /** What steps report of their progress. */
  progress: Record<string, Progress>;
  /** What keeping a finished run does besides. */
  keep: () => Promise<void>;
  /** @param point what the first gate does when nobody decides */
  readonly start: (
    budgets?: Record<string, number>,
    point?: Partial<GatePolicy>,
    scenario?: Scenario<ToyParams>,
    runbook?: Partial<Runbook>,
  ) => Promise<ToyRun>;
}

export class ToyRun {
  constructor(readonly handle: WorkflowHandle) {}

  view(): Promise<RunView> {
    return this.handle.query(statusQuery);
  }

  /** Returns the view as soon as it satisfies the condition. */
  async until(condition: (view: RunView) => boolean): Promise<RunView> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const view = await this.view();
      if (condition(view)) return view;
      if (Date.now() > deadline) throw new Error(`never: ${JSON.stringify(statuses(view))}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  waitsFor(step: string): Promise<RunView> {
    return this.until((view) => view.openDecisions.some((open) => open.step === step));
  }

  decide(decision: Decision): Promise<DecisionAnswer> {
    return this.handle.executeUpdate(decideUpdate, { args: [decision], updateId: randomUUID() });
  }

  /** The message with which a decision is refused. */
  async refused(decision: Decision): Promise<string> {
    try {
      await this.decide(decision);
    } catch (error) {
      if (error instanceof WorkflowUpdateFailedError) return error.cause?.message ?? '';
      throw error;
    }
    throw new Error('the decision was accepted');
  }

  async result(): Promise<RunResult> {
    return (await this.handle.result()) as RunResult;
  }

  async failure(): Promise<string> {
    try {
      await this.handle.result();
    } catch (error) {
      if (error instanceof WorkflowFailedError) return error.cause?.message ?? '';
      throw error;
    }
    throw new Error('the run did not fail');
  }
}

export function statuses(view: RunView): Record<string, string> {
  return Object.fromEntries(view.steps.map((step) => [step.name, step.status]));
}

/** A runbook as far as the toy scenario and the decisions look at it. */
export function toyRunbook(budgets: Record<string, number> = {}, point: Partial<GatePolicy> = {}): Runbook {
  return {
    system: 'toy',
    title: 'Toy system',
    people: [
      { name: 'ada', roles: ['lead'], contacts: [] },
      { name: 'bob', roles: ['intern'], contacts: [] },
      { name: 'cy', roles: ['lead', 'security'], contacts: [] },
      { name: 'dee', roles: ['incident-commander'], contacts: [] },
      { name: 'eve', roles: ['lead'], contacts: [], proofs: { keys: ['a public key'] } },
    ],
    breakGlass: { roles: ['incident-commander'], people: 1 },
    notifications: {},
    scenarios: { corruption: { budgets, gates: { point: { ...patient, ...point } } } },
  } as unknown as Runbook;
}

export function permanent(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'Broken', { next: 'Mend it.' });
}

/** Resolves when told to, or rejects when the activity is cancelled. */
export function held(): { readonly release: (answer: string) => void; readonly behaviour: Behaviour } {
  let release: (answer: string) => void = () => undefined;
  const released = new Promise<string>((resolve) => {
    release = resolve;
  });
  return { release, behaviour: () => alive(Promise.race([released, Context.current().cancelled])) };
}

/** Without heartbeats an activity does not learn that it is cancelled. */
export async function alive<T>(work: Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 50);
  try {
    return await work;
  } finally {
    clearInterval(beat);
  }
}

/** @param more activities beside those that every run needs */
export async function openToyWorld(more: object = {}): Promise<ToyWorld> {
  const calls: ToyCall[] = [];
  const journal: JournalEntry[] = [];
  const journals = new Map<string, JournalEntry[]>();
  const reports: { readonly view: RunView }[] = [];
  const kept: RunView[] = [];
  const proofs: ProofInput[] = [];
  const behave = new Map<string, Behaviour>();
  const worker = await startWorker({
    readProgress: async () => ({ summary: 'looked', steps: world.progress }),
    ...more,
    toy: async (call: ToyCall) => {
      calls.push(call);
      return { summary: await (behave.get(call.step)?.(call) ?? `${call.step} of ${call.saw}`) };
    },
    appendJournal: async ({ run, entries, after }: Parameters<MusterActivities['appendJournal']>[0]) => {
      const answer = await world.takeEntries();
      journal.push(...entries);
      journals.set(run.runId, [...(journals.get(run.runId) ?? []), ...entries]);
      const bodies = entries.map((entry) => journalBody(run, entry));
      return answer ?? headOf(chain(after, bodies)).hash;
    },
    verifyProof: async (input: ProofInput) => {
      proofs.push(input);
      return world.verify(input);
    },
    writeReport: async ({ view }: { view: RunView }) => {
      reports.push({ view });
      return { summary: 'report written' };
    },
    keepRun: async ({ view }: { view: RunView }) => {
      kept.push(view);
      await world.keep();
    },
  });
  const world: ToyWorld = {
    worker,
    proofs,
    verify: async ({ proof }) => ({
      accepted: proof?.signature?.startsWith('good') === true,
      refusal: 'The signature is not good.',
      methods: ['ed25519'],
      used: [`sig:${proof?.signature}`],
      summary: 'looked at',
    }),
    takeEntries: async () => undefined,
    keep: async () => undefined,
    progress: {},
    calls,
    journal,
    journals,
    reports,
    kept,
    behave,
    start: async (budgets = {}, point = {}, scenario = toyScenario, changes = {}) => {
      const runbook = { ...toyRunbook(budgets, point), ...changes };
      const runId = `toy-${randomUUID()}`;
      const handle = await worker.client.workflow.start(scenario.name, {
        workflowId: runId,
        taskQueue: worker.taskQueue,
        args: [
          {
            runId,
            mode: 'real',
            requestedBy: 'ada',
            commander: 'ada',
            detectedAt: new Date().toISOString(),
            planHash: planHash(scenario.buildPlan(runbook).document),
            expectations: {},
            params: { point: 'noon' },
            runbook,
          },
        ],
      });
      return new ToyRun(handle);
    },
  };
  return world;
}
