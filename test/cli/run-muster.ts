import type { CliWorld, ExitCode } from '../../src/cli/context.js';
import { runCli } from '../../src/cli/program.js';

export interface Outcome {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process, in a world of its own: no colour, 80 columns, no lab. */
export async function runMuster(
  args: readonly string[],
  world: Partial<Pick<CliWorld, 'env' | 'cwd'>> = {},
): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const stream = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await runCli(args, {
    streams: { stdout: stream('stdout'), stderr: stream('stderr') },
    env: { MUSTER_LAB: '/nonexistent/muster-lab', MUSTER_PAYLOAD_ENCRYPTION: 'off', ...world.env },
    cwd: world.cwd ?? process.cwd(),
    version: '0.0.0',
  });
  return { code, ...written };
}
