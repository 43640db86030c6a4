/** The built command line as a process of its own, as people run it. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const program = resolve(__dirname, '../../dist/src/cli/main.js');

/** Runs `muster` with these arguments. Any exit code is an outcome. */
export function muster(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Finished> {
  return run(process.execPath, [program, ...args], env);
}

/** Runs any program to its end. */
export function run(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs = 120_000,
): Promise<Finished> {
  return new Promise((done) => {
    execFile(
      file,
      [...args],
      { env: { ...process.env, NO_COLOR: '1', ...env }, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        done({ code, stdout, stderr });
      },
    );
  });
}
