/** Errors as a stressed reader and as a script get them. */
import { InputError, type InputProblem, MusterError, messageOf } from '../../errors.js';
import type { Colors } from '../output.js';

export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly why?: string;
  readonly next: string;
  readonly problems?: readonly InputProblem[];
  readonly details?: Readonly<Record<string, string | number | boolean>>;
  /** Only with MUSTER_DEBUG. */
  readonly stack?: string;
}

/** @param debug whether the stack is wanted too */
export function reportError(thrown: unknown, debug: boolean): ErrorReport {
  const stack = debug && thrown instanceof Error && thrown.stack !== undefined ? { stack: thrown.stack } : {};
  if (thrown instanceof MusterError) {
    return {
      code: thrown.code,
      message: thrown.message,
      ...(thrown.why === undefined ? {} : { why: thrown.why }),
      next: thrown.next,
      ...(thrown instanceof InputError ? { problems: thrown.problems } : {}),
      ...(Object.keys(thrown.details).length === 0 ? {} : { details: thrown.details }),
      ...stack,
    };
  }
  const hint = hintOf(thrown);
  return {
    code: hint === undefined ? 'Unexpected' : 'Failed',
    message: messageOf(thrown) || 'Something failed without saying what.',
    next: hint ?? 'This is a defect: run the command again with MUSTER_DEBUG=1 and report what it prints.',
    ...stack,
  };
}

/** Other parts (the lab) give their errors a `hint`: what to do next. */
function hintOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'hint' in thrown && typeof thrown.hint === 'string'
    ? thrown.hint
    : undefined;
}

export function renderError(report: ErrorReport, colors: Colors): string {
  const blocks = [`${colors.bold(colors.red('error'))}  ${report.message} (${report.code})`];
  if (report.why !== undefined) blocks.push(`why    ${report.why}`);
  const problems = (report.problems ?? []).map((problem) => renderProblem(problem, colors));
  const parts = [blocks.join('\n'), ...problems, `next   ${report.next}`];
  if (report.stack !== undefined) parts.push(colors.dim(report.stack));
  return problems.length === 0 ? parts.join('\n') : parts.join('\n\n');
}

/** One problem a block: where, then what was given and what is allowed. */
export function renderProblem(problem: InputProblem, colors: Colors): string {
  const place = [problem.file, problem.line, problem.line === undefined ? undefined : problem.column]
    .filter((part) => part !== undefined)
    .join(':');
  return [
    place === '' ? colors.bold(problem.field) : `${colors.cyan(place)}  ${colors.bold(problem.field)}`,
    `  given:   ${problem.given}`,
    `  allowed: ${problem.allowed}`,
  ].join('\n');
}
