import type { InfrastructureMade, InfrastructurePlan, Outputs, StepRef } from '../contract.js';

/** Makes what a system needs at another site. */
export interface InfrastructureDriver {
  /** What would be made now; makes nothing. */
  plan(): Promise<InfrastructurePlan>;
  /**
   * Makes it, as far as it is not there. An attempt that follows one that was cut off makes the rest.
   *
   * @param shown what people have seen: anything else is refused
   */
  make(shown: Pick<InfrastructurePlan, 'changes'>): Promise<InfrastructureMade>;
  /** Looks whether it could be done, and changes nothing. @throws what `plan` throws */
  ready(): Promise<{ readonly summary: string }>;
}

export type OpenInfrastructure<I> = (at: StepRef, section: I, inputs: Outputs) => InfrastructureDriver;
