/**
 * Slack's incoming webhooks, and what understands the same (Mattermost, Rocket.Chat): blocks, with a text beside them for
 * notifications and for receivers that show no blocks. Knowledge: docs.slack.dev, "Sending messages using incoming webhooks"
 * and "Block Kit" (a header of 150 characters, a section of 3,000, 10 fields of 2,000 each).
 */
import type { Notice, Receiver } from '../../src/model/notice.js';
import type { Channel } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { type Patience, post } from './post.js';
import { oneLine, plainText, subjectOf } from './text.js';

type Slack = Extract<Channel, { driver: 'slack' }>;

const sign = { info: '', warning: ':warning: ', critical: ':rotating_light: ' } as const;

/** @throws PermanentError, TransientError as `post` does; PermanentError `SecretMissing` */
export async function sendToSlack(
  notice: Notice,
  channel: Slack,
  receiver: Receiver,
  patience: Patience,
): Promise<void> {
  const url = (await resolveSecret(channel.url)).trim();
  const path = URL.canParse(url) ? new URL(url).pathname : '';
  await post(
    {
      receiver: `${receiver.name} (slack)`,
      url,
      body: JSON.stringify(slackMessage(notice, receiver.contacts)),
      secrets: [url, path, ...path.split('/').filter((part) => part.length > 7)],
    },
    patience,
  );
}

/** @param contacts `slack:U0123ABCD` of whom the message is for: they are mentioned */
export function slackMessage(notice: Notice, contacts: readonly string[]): object {
  const mentions = contacts
    .filter((contact) => /^slack:[A-Z0-9]+$/.test(contact))
    .map((contact) => `<@${contact.slice('slack:'.length)}>`)
    .join(' ');
  const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text: cut(text, 3_000) } });
  const said = [escaped(notice.text), mentions].filter((text) => text !== '').join('\n');
  return {
    text: cut(escaped(`${subjectOf(notice)}\n${plainText(notice)}`), 3_500),
    blocks: [
      {
        type: 'header',
        text: {
          type: 'plain_text',
          emoji: true,
          text: cut(`${sign[notice.severity]}${subjectOf(notice)}`, 150),
        },
      },
      ...(said === '' ? [] : [section(said)]),
      ...inTens(notice.facts).map((facts) => ({
        type: 'section',
        fields: facts.map(({ label, value }) => ({
          type: 'mrkdwn',
          text: cut(`*${escaped(oneLine(label))}*\n${escaped(value)}`, 2_000),
        })),
      })),
      ...notice.actions.map(({ label, value }) =>
        section(`\`${escaped(oneLine(label))}\`\n${escaped(value)}`),
      ),
    ].slice(0, 49),
  };
}

/** Slack's three control characters. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function inTens<T>(items: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(items.length / 10) }, (_, index) =>
    items.slice(index * 10, index * 10 + 10),
  );
}
