import { PermanentError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import type { RungCheck, RungResult } from '../contract.js';
import { programOf, versionOf } from '../service/index.js';

export interface CheckHeading {
  /** 1 to 8, as in docs/verification.md. */
  readonly rung: number;
  readonly title: string;
  readonly tool: string;
  readonly toolVersion: string;
}

/** @returns the heading of a check that one program of the site's PostgreSQL makes, and where that program is */
export async function headingOf(
  postgres: PostgresSite,
  tool: string,
  heading: Pick<CheckHeading, 'rung' | 'title'>,
): Promise<{ readonly program: string; readonly heading: CheckHeading }> {
  const program = await programOf(postgres, tool);
  return { program, heading: { ...heading, tool, toolVersion: await versionOf(program) } };
}

/** Runs one check of the ladder and keeps what it found; a check that fails throws. */
export async function check(heading: CheckHeading, work: () => Promise<string>): Promise<RungCheck> {
  const begun = performance.now();
  const detail = await work();
  return { ...heading, passed: true, durationMs: Math.round(performance.now() - begun), detail };
}

/**
 * The failure of a check. It is permanent: what was found wrong stays wrong, and a person decides.
 *
 * @param found what was found, naming the place
 * @param next what to do about it
 */
export function verificationFailed(
  heading: Pick<CheckHeading, 'rung' | 'title'>,
  found: string,
  next: string,
  details: Readonly<Record<string, string | number | boolean>> = {},
): PermanentError {
  return new PermanentError('VerificationFailed', `Rung ${heading.rung}, ${heading.title}: ${found}`, {
    why: 'The copy is not what it should be, so it must not be promoted.',
    next,
    details: { rung: heading.rung, check: heading.title, ...details },
  });
}

/** The result of a rung whose checks all passed. */
export function passed(checks: readonly RungCheck[], note = ''): RungResult {
  const details = checks.map((one) => one.detail).join('; ');
  const longest = Math.max(0, ...checks.map((one) => one.durationMs));
  return { checks, summary: `${details} (${formatDuration(longest)})${note}` };
}
