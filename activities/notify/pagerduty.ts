/**
 * PagerDuty's Events API v2. A matter that waits for people is triggered under a key of its own, so that each pages anew,
 * and is resolved once it is over: nobody is paged on for what was decided. Knowledge: developer.pagerduty.com, "Send an
 * Alert Event" (summary of 1,024 characters, dedup_key of 255).
 */
import type { Notice, Receiver } from '../../src/model/notice.js';
import type { Channel } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { type Patience, post } from './post.js';
import { subjectOf } from './text.js';

type PagerDuty = Extract<Channel, { driver: 'pagerduty' }>;

/** @throws PermanentError, TransientError as `post` does; PermanentError `SecretMissing` */
export async function sendToPagerDuty(
  notice: Notice,
  channel: PagerDuty,
  receiver: Receiver,
  patience: Patience,
): Promise<void> {
  const routingKey = (await resolveSecret(channel.routingKey)).trim();
  for (const event of pagerDutyEvents(notice)) {
    await post(
      {
        receiver: `${receiver.name} (pagerduty)`,
        url: channel.endpoint,
        body: JSON.stringify({ routing_key: routingKey, ...event }),
        secrets: [routingKey],
      },
      patience,
    );
  }
}

/** The events of one notice, in order, without the routing key. Sent twice they have their effect once. */
export function pagerDutyEvents(notice: Notice): object[] {
  const key = (matter: string) => `${notice.runId}.${matter}`.slice(0, 255);
  const resolves = notice.settles.map((matter) => ({ event_action: 'resolve', dedup_key: key(matter) }));
  // Good news that ends a matter wakes nobody.
  if (notice.severity === 'info' && resolves.length > 0) return resolves;
  const trigger = {
    event_action: 'trigger',
    dedup_key: key(notice.matter),
    client: 'Muster',
    payload: {
      summary: subjectOf(notice).slice(0, 1_024),
      source: notice.system,
      severity: notice.severity,
      timestamp: notice.at,
      class: notice.kind,
      group: notice.scenario,
      ...(notice.step === undefined ? {} : { component: notice.step }),
      custom_details: {
        text: notice.text,
        ...Object.fromEntries(notice.facts.map(({ label, value }) => [label, value])),
        'now possible': notice.actions.map(({ label, value }) => `${label}: ${value}`),
        run: notice.runId,
        notice: notice.id,
      },
    },
  };
  return [trigger, ...resolves];
}
