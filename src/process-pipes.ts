import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ExecaChildProcess } from 'execa';

export interface Piped {
  readonly input?: string | Readable | undefined;
  readonly consume?: ((output: Readable) => Promise<unknown>) | undefined;
}

/** What execa is told of a program's standard input. */
export function inputOf({ input }: Piped): { stdin: 'ignore' | 'pipe' } | { input: string } {
  if (input === undefined) return { stdin: 'ignore' };
  return typeof input === 'string' ? { input } : { stdin: 'pipe' };
}

interface Broken {
  readonly of: 'input' | 'output';
  readonly error: unknown;
}

/**
 * Moves what streams into a program and out of it, and ends the program when either breaks.
 *
 * @returns once both are over, a function that throws what broke, where that and not the program is the cause
 */
export async function movePipes(
  child: ExecaChildProcess,
  { input, consume }: Piped,
  end: () => void,
): Promise<(exitCode: number) => void> {
  let first: Broken | undefined;
  const watch = (of: Broken['of'], work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: unknown) => {
        first ??= { of, error };
        end();
      },
    );
  await Promise.all([
    typeof input === 'object' && child.stdin !== null
      ? watch('input', pipeline(input, child.stdin))
      : undefined,
    consume !== undefined && child.stdout !== null
      ? watch('output', consumed(child.stdout, consume))
      : undefined,
  ]);
  return (exitCode) => {
    // A program that gives up reading explains that itself.
    if (first === undefined || isBrokenPipe(first.error)) return;
    if (exitCode !== 0 || first.of === 'output') throw first.error;
  };
}

/**
 * Once a program has ended, Node throws away what nobody reads yet of its output: it is read from the beginning, however long the
 * consumer takes to get ready.
 */
async function consumed(stdout: Readable, consume: (output: Readable) => Promise<unknown>): Promise<void> {
  const output = new PassThrough();
  const moving = pipeline(stdout, output);
  // It is told by the consumer, whose stream breaks.
  moving.catch(() => undefined);
  try {
    await consume(output);
  } finally {
    output.destroy();
  }
}

function isBrokenPipe(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}
