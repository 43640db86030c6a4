/** `muster watch`: what a commander stares at. */
import type { Register } from '../context.js';

interface Options {
  readonly all?: boolean;
  readonly mode?: string;
}

export const register: Register = (program, context) => {
  program
    .command('watch')
    .description(
      'watch a run until it ends: clock and verdict, what waits for whom, the steps, what can be done now',
    )
    .argument('[system]', 'a system, or the id of a run (default: the one run that is active)')
    .option('--all', 'systems that are recovered together: one screen, a line each')
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)')
    .addHelpText(
      'after',
      `
Ctrl-C leaves the run running. Into a file or a pipe: one line a change, with its time, and the whole screen at the end.
Exit codes: 0 recovered, 1 failed or aborted, 2 bad input, 130 left with Ctrl-C.

Examples:
  muster watch
  muster watch payymo
  muster watch --all
  muster watch payymo >> recovery.log
  muster watch payymo --json          waits for the end, then prints the run as one object`,
    )
    .action(async (system: string | undefined, options: Options) => {
      const { chooseRun, parseMode, withTemporal } = await import('../sessions.js');
      const { watchRun } = await import('../watching.js');
      await withTemporal(context, async (session) => {
        if (options.all === true) {
          const { theUndertaking, watchTogether } = await import('../watching-together.js');
          const seen = await watchTogether(context, session, await theUndertaking(session));
          if (context.out.json) context.out.result(seen ?? null, () => '');
          return;
        }
        const run = await chooseRun(session, system, parseMode(options.mode));
        const { view, ended, remark } = await watchRun(context, session, run);
        if (context.out.json)
          context.out.result({ run: view ?? null, ended, ...(remark ? { remark } : {}) }, () => '');
      });
    });
};
