/** Every activity that a run calls, labelled for the Temporal timeline with the step it works for. */
import type { MusterActivities, ProgressSeen, ProofVerdict, StepRef } from '../../activities/contract.js';
import type { PlanDocument } from '../../src/model/plan.js';
import type { RunInput } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { labelledActivities, type Policy } from './io.js';
import type { StepContext } from './plan.js';
import type { StepState } from './step-state.js';

export class Calls<Params> {
  readonly ref: Omit<StepRef, 'step'>;
  private count = 0;

  constructor(
    private readonly input: RunInput<Runbook, Params>,
    { system, scenario }: PlanDocument,
  ) {
    const { runId, mode, adoption } = input;
    const taken = adoption === undefined ? {} : { adoption: adoption.number };
    this.ref = { runId, system, scenario, mode, ...taken };
  }

  refOf(step: string): StepRef {
    return { ...this.ref, step };
  }

  /** What a step acts with. */
  contextFor(step: StepState<Params>, purpose: 'do' | 'undo' = 'do'): StepContext<Params> {
    const { title } = step.planned.document;
    // What the activity ids begin with.
    const label = purpose === 'do' ? step.name : `undo-${step.name}`;
    const of = (policy: Policy) => this.to(purpose === 'do' ? policy : 'undo', label, `${label}: ${title}`);
    return {
      at: this.refOf(step.name),
      params: this.input.params,
      quick: of('quick'),
      long: of('long'),
      careful: of('careful'),
    };
  }

  verifyProof(input: Omit<Parameters<MusterActivities['verifyProof']>[0], 'at'>): Promise<ProofVerdict> {
    return this.to('proof', 'proof', `proof of ${input.person.name}`).verifyProof({ at: this.ref, ...input });
  }

  async readProgress(): Promise<ProgressSeen['steps']> {
    const { steps } = await this.to('look', 'progress', 'how far the steps are').readProgress({
      at: this.ref,
    });
    return steps;
  }

  /**
   * @param label what the activity ids begin with
   * @param summary what the Temporal UI shows
   */
  to(policy: Policy, label: string, summary: string): MusterActivities {
    return labelledActivities(policy, summary, () => {
      this.count += 1;
      return `${label}.${this.count}`;
    });
  }
}
