import { PermanentError } from '../src/errors.js';
import type { StepRef } from './contract.js';

/**
 * A drill cannot reach production, whatever plan it was given: asked first by every activity that changes what users depend on.
 *
 * @param act completes "A drill must not ..."
 * @throws PermanentError `DrillForbidden`
 */
export function requireReal(at: StepRef, act: string): void {
  if (at.mode === 'real') return;
  throw new PermanentError('DrillForbidden', `A drill must not ${act} (run ${at.runId}, step ${at.step}).`, {
    next: 'Nothing was touched. Drill a plan whose steps keep to the sandbox.',
  });
}
