/** Errors as a stressed reader and as a script get them. */
import { InputError, type InputProblem, MusterError, messageOf } from '../../errors.js';
import type { Colors } from '../output.js';
import { hanging } from './wrap-text.js';

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

/** @param width columns of the terminal; Infinity where none is: a log is not wrapped */
export function renderError(report: ErrorReport, colors: Colors, width: number): string {
  const blocks = [
    hanging('error  ', `${report.message} (${report.code})`, width).replace('error', (word) =>
      colors.bold(colors.red(word)),
    ),
  ];
  if (report.why !== undefined) blocks.push(hanging('why    ', report.why, width));
  const problems = (report.problems ?? []).map((problem) => renderProblem(problem, colors, width));
  const parts = [blocks.join('\n'), ...problems, hanging('next   ', report.next, width)];
  if (report.stack !== undefined) parts.push(colors.dim(report.stack));
  return problems.length === 0 ? parts.join('\n') : parts.join('\n\n');
}

/** One problem a block: where, then what was given and what is allowed. */
export function renderProblem(problem: InputProblem, colors: Colors, width: number): string {
  const place = [problem.file, problem.line, problem.line === undefined ? undefined : problem.column]
    .filter((part) => part !== undefined)
    .join(':');
  return [
    place === '' ? colors.bold(problem.field) : `${colors.cyan(place)}  ${colors.bold(problem.field)}`,
    hanging('  given:   ', problem.given, width),
    hanging('  allowed: ', problem.allowed, width),
  ].join('\n');
}
