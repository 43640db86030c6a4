/** What the commands that send notices have in common: channels of a runbook, sending, and what became of it. */
import { receiversOf } from '../../workflows/engine/receivers.js';
import { InputError, RefusedError } from '../errors.js';
import type { Delivery, Notice, NoticeKind, Receiver } from '../model/notice.js';
import { quoted } from '../runbook/field-facts.js';
import { loadSystem } from '../runbook/load.js';
import { nearest } from '../runbook/nearest.js';
import type { Runbook } from '../runbook/schema.js';
import type { CliContext } from './context.js';
import { type Sending, sendByWorker, sendFromHere } from './notice-sending.js';
import { withTemporal } from './sessions.js';

export async function runbookOf(context: CliContext, system: string): Promise<Runbook> {
  return (await loadSystem((await context.runbooks()).dir, system)).runbook;
}

/**
 * The receivers of one channel, or of all that take this kind.
 *
 * @param channel its name; nothing: all
 * @param to people of the roster whom it is for
 * @throws RefusedError `NoChannels`; InputError for a channel that is not there
 */
export function receiversFor(
  runbook: Runbook,
  channel: string | undefined,
  kind: NoticeKind,
  to: readonly string[],
): Receiver[] {
  const names = Object.keys(runbook.notifications);
  if (names.length === 0) {
    throw new RefusedError(
      'NoChannels',
      `The runbook of ${runbook.system} names no channel: nobody is told anything.`,
      {
        next: `Add notifications to ${runbook.system}.yaml; docs/notifications.md says how.`,
      },
    );
  }
  if (channel !== undefined && !names.includes(channel)) {
    const meant = nearest(channel, names);
    throw new InputError(`There is no channel ${quoted(channel)}.`, [
      {
        field: '[channel]',
        given: quoted(channel),
        allowed: `${meant === undefined ? '' : `${meant}, perhaps; `}the channels of ${runbook.system} are: ${names.join(', ')}`,
      },
    ]);
  }
  const chosen = Object.entries(runbook.notifications).filter(
    ([name]) => channel === undefined || name === channel,
  );
  // Who names a channel means it, whatever it listens to otherwise.
  const notifications = Object.fromEntries(
    channel === undefined ? chosen : chosen.map(([name, each]) => [name, { ...each, events: undefined }]),
  );
  return receiversOf({ people: runbook.people, notifications }, kind, to);
}

export async function send(
  context: CliContext,
  notice: Notice,
  receivers: readonly Receiver[],
  how: Omit<Sending, 'notice' | 'receivers'> & { readonly here: boolean },
): Promise<readonly Delivery[]> {
  const { here, ...sending } = how;
  if (here) return sendFromHere({ notice, receivers });
  return withTemporal(context, (session) => sendByWorker(session, { notice, receivers, ...sending }));
}

const words = { delivered: 'delivered', waiting: 'waits', 'given-up': 'FAILED' } as const;

/** A line a receiver. */
export function deliveryLines(deliveries: readonly Delivery[]): string {
  return deliveries
    .map(({ state, receiver, problem }) => `${words[state].padEnd(9)}  ${problem ?? receiver}`)
    .join('\n');
}
