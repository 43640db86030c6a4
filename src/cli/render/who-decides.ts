import type { OpenDecision, StepView } from '../../model/run.js';
import { plain } from './line.js';

/** Whose word is missing, and how many were given where several are asked; a failure is the commander's. */
export function whoDecides(open: OpenDecision, step?: StepView): string {
  const asked = open.roles.length === 0 ? 'the commander' : open.roles.map(plain).join(' or ');
  const missing = plain(open.missing ?? '') || asked;
  const demanded = step?.gate?.approvals ?? 1;
  return demanded > 1 ? `${missing} (${open.approvals.length} of ${demanded} given)` : missing;
}
