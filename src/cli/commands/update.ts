/** `muster update`: what people outside are told of a run, ready to send. */
import { InputError } from '../../errors.js';
import { type CliContext, exitCodes, type Register } from '../context.js';

interface Options {
  readonly send?: string;
  readonly next?: string;
  readonly here?: boolean;
  readonly mode?: string;
}

const PATIENCE_MS = 20_000;

export const register: Register = (program, context) => {
  program
    .command('update')
    .description('an update for people outside: what is affected, since when, expected when; ready to send')
    .argument('<system>', 'a system, or the id of a run')
    .option('--next <duration>', 'when the next update comes, from now ("none": not said)', '30 min')
    .option('--send <channel>', 'send it through this channel of the runbook, instead of only showing it')
    .option('--here', 'with --send: from this machine instead of a worker')
    .option('--mode <mode>', 'real or drill (default: the real run where both are active)')
    .addHelpText(
      'after',
      `
It names no step, host or data of the run: times and plain words only. Read it before it goes out.

Examples:
  muster update payymo                          to paste
  muster update payymo --next "1 h" --send status-mail
  muster update payymo --json                   the facts of it, and the text`,
    )
    .action((system: string, options: Options) => update(context, system, options));
};

async function update(context: CliContext, system: string, options: Options): Promise<void> {
  const { duration } = await import('../../runbook/fields.js');
  const { lookAt } = await import('../../temporal/observe.js');
  const { progressOf } = await import('../../temporal/progress.js');
  const { chooseRun, parseMode, withTemporal } = await import('../sessions.js');
  const { stakeholderUpdate, updateNotice } = await import('../../notices/update.js');
  const { forecast } = await import('../../../workflows/engine/forecast.js');
  const { TransientError } = await import('../../errors.js');

  const next = options.next === 'none' ? undefined : duration.safeParse(options.next);
  if (next?.success === false) {
    throw new InputError('It is not clear when the next update comes.', [
      { field: '--next', given: options.next ?? '', allowed: 'a duration such as "30 min", or none' },
    ]);
  }
  const { run, look } = await withTemporal(context, async (session) => {
    const found = await chooseRun(session, system, parseMode(options.mode));
    return { run: found, look: await lookAt(session, found) };
  });
  const { view } = look;
  if (view === undefined) {
    throw new TransientError(
      'RunSilent',
      `The run of ${run.system} does not say how it stands: ${look.trouble ?? look.brokenOff}.`,
      {
        next: `See muster status ${run.system}; write the update by hand meanwhile.`,
      },
    );
  }
  const now = Date.now();
  const ahead = forecast(view, progressOf(look.activity ?? {}), now);
  const text = stakeholderUpdate(view, ahead, {
    now,
    ...(next === undefined ? {} : { nextInMs: next.data }),
  });
  if (options.send === undefined) {
    context.out.result({ update: text }, () => `${text.subject}\n\n${text.text}`);
    return;
  }
  const { deliveryLines, receiversFor, runbookOf, send } = await import('../noticing.js');
  const runbook = await runbookOf(context, view.system);
  if (runbook.notifications[options.send]?.driver === 'pagerduty') {
    throw new InputError('That channel wakes people; it is not for updates.', [
      { field: '--send', given: options.send, allowed: 'a channel of mail, Slack or webhook' },
    ]);
  }
  const receivers = receiversFor(runbook, options.send, 'update', []);
  const deliveries = await send(context, updateNotice(view, text), receivers, {
    here: options.here === true,
    patienceMs: PATIENCE_MS,
  });
  context.out.result({ update: text, deliveries }, () => `${text.text}\n${deliveryLines(deliveries)}`);
  if (deliveries.some(({ state }) => state === 'given-up')) context.finishWith(exitCodes.failed);
}
