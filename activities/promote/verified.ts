import { createHash } from 'node:crypto';

import { PermanentError } from '../../src/errors.js';
import { canonicalJson } from '../../src/model/canonical-json.js';
import type { RungCheck } from '../contract.js';

/** The ladder of verification, see docs/verification.md. */
const RUNGS = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * What has not been verified is never promoted: every rung must have been climbed and none may have failed.
 * @throws PermanentError `NotVerified`
 */
export function requireVerified(checks: readonly RungCheck[]): void {
  const failed = checks.filter((check) => !check.passed);
  const missing = RUNGS.filter((rung) => !checks.some((check) => check.rung === rung));
  if (failed.length === 0 && missing.length === 0) return;
  const problems = [
    ...failed.map(({ rung, title, detail }) => `rung ${rung} failed (${title}: ${detail})`),
    ...(missing.length === 0 ? [] : [`rungs ${missing.join(', ')} were not climbed`]),
  ];
  throw new PermanentError('NotVerified', `The copy is not promoted: ${problems.join('; ')}.`, {
    next: 'Retry the verification, or go back to another recovery point.',
  });
}

/** Ties the promotion token to what was verified. */
export function hashOfChecks(checks: readonly RungCheck[]): string {
  return createHash('sha256').update(canonicalJson(checks)).digest('hex');
}
