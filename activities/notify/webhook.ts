/**
 * Any program that takes JSON: signed as Standard Webhooks says, so that the receiver checks with a library of its own
 * language who sent it. Knowledge: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md 1.0.0.
 */
import { Webhook } from 'standardwebhooks';
import type { Notice, Receiver } from '../../src/model/notice.js';
import type { Channel } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { type Patience, post, refused } from './post.js';

type GenericWebhook = Extract<Channel, { driver: 'webhook' }>;

/**
 * The body is `{"type": "muster.<kind>", "timestamp": ..., "data": <the notice>}`; `webhook-id` is the notice's id, so that
 * a receiver knows one that it gets twice.
 *
 * @throws PermanentError, TransientError as `post` does; PermanentError `SecretMissing`, or `NoticeRefused` for a secret that
 *   is not `whsec_` and Base64
 */
export async function sendToWebhook(
  notice: Notice,
  channel: GenericWebhook,
  receiver: Receiver,
  patience: Patience,
): Promise<void> {
  const name = `${receiver.name} (webhook)`;
  const secret = (await resolveSecret(channel.secret)).trim();
  const body = JSON.stringify({ type: `muster.${notice.kind}`, timestamp: notice.at, data: notice });
  const sentAt = new Date();
  await post(
    {
      receiver: name,
      url: channel.url,
      headers: {
        'webhook-id': notice.id,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
        'webhook-signature': signerFor(secret, name).sign(notice.id, sentAt, body),
      },
      body,
      caFile: channel.caFile,
      secrets: [secret, secret.replace(/^whsec_/, '')],
    },
    patience,
  );
}

// What the library says of a bad secret is left out: it might quote it.
function signerFor(secret: string, receiver: string): Webhook {
  try {
    return new Webhook(secret);
  } catch {
    throw refused(receiver, 'its secret is not whsec_ followed by Base64, as Standard Webhooks wants it');
  }
}
