/**
 * Errors for a stressed reader: what happened, why, and what to do next. The code is stable and is what a person
 * searches for in the documentation; it is also the `type` of the Temporal failure that an activity ends with.
 */
export interface ErrorFacts {
  /** What to do next, as one imperative sentence. */
  readonly next: string;
  /** Why it happened, where that is known and not already in the message. */
  readonly why?: string;
  /** The original error. */
  readonly cause?: unknown;
  /** Figures and names that a report or a script may want. Never secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export class MusterError extends Error {
  override readonly name: string = 'MusterError';
  readonly next: string;
  readonly why: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean>>;

  constructor(
    /** Stable, PascalCase, for instance `FenceNotProven`. */
    readonly code: string,
    message: string,
    facts: ErrorFacts,
  ) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.next = facts.next;
    this.why = facts.why;
    this.details = facts.details ?? {};
  }
}

/** Trying again may help: an endpoint that does not answer, a lock, a server that starts. */
export class TransientError extends MusterError {
  override readonly name = 'TransientError';
}

/** Trying again cannot help: the step stops and a person decides. */
export class PermanentError extends MusterError {
  override readonly name = 'PermanentError';
}

/** One thing wrong with what a person gave. */
export interface InputProblem {
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
  /** Path in the file or the name of the option, for instance `objectives.components.database.rto` or `--before`. */
  readonly field: string;
  readonly given: string;
  readonly allowed: string;
}

/** Bad input: nothing has been started. The command line answers it with exit code 2. */
export class InputError extends MusterError {
  override readonly name = 'InputError';

  constructor(
    message: string,
    readonly problems: readonly InputProblem[],
    facts: ErrorFacts = { next: 'Correct what is listed and run the command again.' },
  ) {
    super('BadInput', message, facts);
  }
}

/** What was asked for cannot be done as things stand; nothing was started or changed. Exit code 2, like bad input. */
export class RefusedError extends MusterError {
  override readonly name = 'RefusedError';
}

/** The message of anything that was thrown, with the messages of its causes. */
export function messageOf(thrown: unknown): string {
  const parts: string[] = [];
  let current: unknown = thrown;
  while (current !== undefined && current !== null && parts.length < 6) {
    const text = current instanceof Error || isErrorLike(current) ? current.message : String(current);
    if (text !== '' && !parts.includes(text)) parts.push(text);
    current = isErrorLike(current) ? current.cause : undefined;
  }
  return parts.join(': ');
}

// Errors from another realm (jest, worker threads) fail `instanceof Error`.
function isErrorLike(value: unknown): value is { message: string; cause?: unknown } {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  );
}
