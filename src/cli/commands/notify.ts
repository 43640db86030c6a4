/** `muster notify test`: do notices reach those whom they are for? */
import { InputError } from '../../errors.js';
import { exitCodes, type Register } from '../context.js';

interface Options {
  readonly to?: string;
  readonly here?: boolean;
}

/** Long enough for a second attempt; the answer is waited for at a terminal. */
const pace = { firstMs: 1_000, mostMs: 2_000, giveUpAfterMs: 20_000 } as const;

export const register: Register = (program, context) => {
  const notify = program
    .command('notify')
    .description('notices of a system: do they reach whom they are for?')
    .addHelpText(
      'after',
      `
Examples:
  muster notify test payymo`,
    );
  notify
    .command('test')
    .description('send a test notice through the channels of a runbook, and say what happened at each')
    .argument('<system>', 'a system')
    .argument('[channel]', 'one of its channels (default: all of them)')
    .option('--to <name>', "one person of the runbook's people (default: everybody)")
    .option('--here', 'from this machine instead of a worker: needs no Temporal, and the secrets here')
    .addHelpText(
      'after',
      `
The notice says that it is a test; PagerDuty gets it in a form that pages nobody.

Exit codes: 0 every receiver took it, 1 one did not, 2 bad input.

Examples:
  muster notify test payymo                  every channel, everybody
  muster notify test payymo mail --to on-call
  muster notify test payymo --here           before there is a worker`,
    )
    .action(async (system: string, channel: string | undefined, options: Options) => {
      const { deliveryLines, receiversFor, runbookOf, send } = await import('../noticing.js');
      const { testNotice } = await import('../notice-sending.js');
      const runbook = await runbookOf(context, system);
      const names = runbook.people.map(({ name }) => name);
      if (options.to !== undefined && !names.includes(options.to)) {
        throw new InputError('There is no such person.', [
          { field: '--to', given: options.to, allowed: names.join(', ') },
        ]);
      }
      const to = options.to === undefined ? names : [options.to];
      const receivers = receiversFor(runbook, channel, 'test', to);
      const notice = testNotice(runbook, to, new Date());
      const deliveries = await send(context, notice, receivers, {
        here: options.here === true,
        pace,
        patienceMs: 45_000,
      });
      const ok = deliveries.every(({ state }) => state === 'delivered');
      context.out.result({ ok, deliveries }, () => deliveryLines(deliveries));
      if (!ok) context.finishWith(exitCodes.failed);
    });
};
