import { MusterError } from '../src/errors.js';

/** Something about the lab itself: which part, what happened, what to do next. Never about a recovery. */
export class LabError extends MusterError {
  override readonly name = 'LabError';

  constructor(message: string, next: string, cause?: unknown) {
    super('LabFailed', message, cause === undefined ? { next } : { next, cause });
  }
}
