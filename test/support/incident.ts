/** A disaster in a lab and the commander's way through it: commands as people give them, and what the run says of itself. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { type Claim, readClaims, withVault } from '../../activities/vault/index.js';
import { breakCorruption, type Corruption } from '../../lab/break/corruption.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { labEnvironment } from '../../lab/environment.js';
import { type LabPerson, labCode } from '../../lab/people.js';
import type { OpenDecision, RunResult, RunView, StepView } from '../../src/model/run.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { dataConverterFor } from '../../src/temporal/codec-converter.js';
import type { TestLab } from './lab.js';
import { type Finished, muster } from './muster-process.js';

export const SYSTEM = 'payymo';
export const WORKFLOW = 'payymo.real';
export const COMMANDER = 'on-call';
export const APPROVER = 'database-lead';

const LONGEST_MS = 120_000;

/** What a test waits for in a run. */
export type Sight = (seen: RunView) => boolean;

export const gateOpens =
  (gate: string): Sight =>
  (seen) =>
    seen.openDecisions.some((open) => open.gate === gate);

export const stepIs =
  (name: string, status: StepView['status']): Sight =>
  (seen) =>
    stepOf(seen, name).status === status;

export const stepFails =
  (name: string): Sight =>
  (seen) =>
    seen.openDecisions.some((open) => open.gate === undefined && open.step === name);

export const runEnds: Sight = (seen) => seen.endedAt !== undefined;

export function stepOf(seen: RunView, name: string): StepView {
  const step = seen.steps.find((one) => one.name === name);
  if (step === undefined) throw new Error(`the plan has no step ${name}`);
  return step;
}

export interface Acknowledged {
  readonly id: string;
  /** ISO 8601 UTC, microseconds, by the ledger's clock. */
  readonly at: string;
}

/** Opens when the lab of the test file is up and closes after its tests. @param system of the lab that is struck */
export function useIncident(lab: TestLab, system: string = SYSTEM): Incident {
  const incident = new Incident(lab, system);
  beforeAll(() => incident.open(), 30_000);
  afterAll(() => incident.close());
  return incident;
}

export class Incident {
  #connection: Connection | undefined;
  #dataConverter: DataConverter | undefined;

  constructor(
    readonly lab: TestLab,
    readonly system: string = SYSTEM,
  ) {}

  /** Of the real run. */
  get workflow(): string {
    return `${this.system}.real`;
  }

  async open(): Promise<void> {
    this.#dataConverter = await dataConverterFor(this.env);
    this.#connection = await Connection.connect({ address: this.lab.state.temporal.address });
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  get client(): Client {
    if (this.#connection === undefined || this.#dataConverter === undefined) {
      throw new Error('the incident is not open yet');
    }
    return new Client({ connection: this.#connection, dataConverter: this.#dataConverter });
  }

  get env(): Record<string, string> {
    return { ...labEnvironment(this.lab.state), MUSTER_KEY: this.approver.keyFile };
  }

  /** With what the approver proves who they are. */
  get approver(): LabPerson {
    const person = this.lab.state.people[APPROVER];
    if (person === undefined) throw new Error(`${APPROVER} proves nothing in this lab`);
    return person;
  }

  /** Payments, the bad change, and payments on the damaged ledger. */
  async happen(payments = 10): Promise<Corruption> {
    await waitForPayments(this.lab.state, payments);
    const damage = await breakCorruption(this.lab.state);
    await waitForPayments(this.lab.state, payments);
    return damage;
  }

  muster(...args: readonly string[]): Promise<Finished> {
    return muster(args, this.env);
  }

  recover(before: string, ...more: readonly string[]): Promise<Finished> {
    return this.muster(...recoverArgs(before), ...more);
  }

  /** @returns the id of the run that was begun */
  async begin(before: string): Promise<string> {
    return printed<{ runId: string }>(demandDone(await this.recover(before))).runId;
  }

  /** `muster approve` by the person whom the runbook names. */
  async approve(gate: string, ...more: readonly string[]): Promise<void> {
    const code = gate === 'promote' ? ['--totp', await labCode(this.approver)] : [];
    demandDone(await this.muster('approve', this.system, gate, '--by', APPROVER, ...code, ...more));
  }

  /** `muster override` of the fence by the two people whom the runbook demands. */
  async goOnWithoutProof(reason: string): Promise<void> {
    const { keyFile = '' } = this.lab.state.people['security-lead'] ?? {};
    for (const [by, env] of [
      [COMMANDER, this.env],
      ['security-lead', { ...this.env, MUSTER_KEY: keyFile }],
    ] as const) {
      const how = ['--by', by, '--reason', reason, '--yes'];
      demandDone(await muster(['override', this.system, 'fence-primary', ...how], env));
    }
  }

  view(): Promise<RunView> {
    return this.client.workflow.getHandle(this.workflow).query<RunView>('status');
  }

  async step(name: string): Promise<StepView> {
    return stepOf(await this.view(), name);
  }

  /**
   * Waits until the run looks like that.
   * @param failing steps whose failure is expected meanwhile
   * @throws Error at once when another step has failed, or when the run is over
   */
  async until(sight: Sight, what: string, failing: readonly string[] = []): Promise<RunView> {
    const deadline = Date.now() + LONGEST_MS;
    let seen: RunView | undefined;
    for (;;) {
      // Worker and server are taken away in some tests: no answer is no reason to stop.
      seen = (await this.view().catch(() => undefined)) ?? seen;
      if (seen !== undefined) {
        if (sight(seen)) return seen;
        const failed = seen.openDecisions.find(
          (open) => open.gate === undefined && !failing.includes(open.step),
        );
        if (failed !== undefined) throw new Error(`${what}: not yet, but ${inWords(failed)}`);
        if (seen.endedAt !== undefined) throw new Error(`${what}: never, the run is ${seen.status}`);
      }
      if (Date.now() > deadline) {
        throw new Error(`${what}: not within ${LONGEST_MS / 1000} s; ${progressOf(seen)}`);
      }
      await new Promise((later) => setTimeout(later, 100));
    }
  }

  async result(): Promise<RunResult> {
    return (await this.client.workflow.getHandle(this.workflow).result()) as RunResult;
  }

  /** The lab's own copy of the runbook. */
  async runbook(): Promise<Runbook> {
    return (await loadRunbook(resolve(this.lab.state.runbooks, `${this.system}.yaml`))).runbook;
  }

  /** What orchestrators have claimed on the system, oldest first. */
  async claims(): Promise<readonly Claim[]> {
    const { vault } = await this.runbook();
    return withVault(vault, new AbortController().signal, (open) => readClaims(open, this.system));
  }

  /** Every payment that the client was told is made. */
  async acknowledged(): Promise<readonly Acknowledged[]> {
    const answer = await fetch(new URL('/acknowledged', this.lab.state.payymo.clientUrl));
    const lines = (await answer.text()).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Acknowledged);
  }
}

/** `muster recover` without questions and without watching. */
export function recoverArgs(before: string): readonly string[] {
  const how = ['--by', COMMANDER, '--yes', '--no-watch', '--json'];
  return ['recover', 'corruption', SYSTEM, '--before', before, ...how];
}

/** @throws Error with what the command said */
function demandDone(finished: Finished): Finished {
  if (finished.code === 0) return finished;
  throw new Error(`exit code ${finished.code}: ${finished.stderr}`);
}

function progressOf(seen: RunView | undefined): string {
  return seen?.steps.map(({ name, status }) => `${name} ${status}`).join(', ') ?? 'it never answered';
}

function inWords({ step, question, facts }: OpenDecision): string {
  return `${step} has failed: ${question} ${facts.map(({ label, value }) => `${label}: ${value}`).join('; ')}`;
}

/** The JSON that a command printed. */
export function printed<T>(finished: Finished): T {
  return JSON.parse(finished.stdout) as T;
}

export async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, 'utf8')) as T;
}
