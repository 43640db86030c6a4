/** Telling people and programs what happens in a run: one file a driver. */
import type { MusterActivities } from '../contract.js';
import { sendToPagerDuty } from './pagerduty.js';
import type { Patience } from './post.js';
import { sendToSlack } from './slack.js';
import { sendByMail } from './smtp.js';
import { sendToWebhook } from './webhook.js';

const PATIENCE: Patience = { connectMs: 5_000, wholeMs: 15_000 };

type NotifyActivities = Pick<MusterActivities, 'sendNotice'>;

/** @param patience how long a receiver may take */
export function notifyActivities(patience: Patience = PATIENCE): NotifyActivities {
  return {
    async sendNotice({ notice, receiver }) {
      const { channel } = receiver;
      switch (channel.driver) {
        case 'slack':
          await sendToSlack(notice, channel, receiver, patience);
          break;
        case 'webhook':
          await sendToWebhook(notice, channel, receiver, patience);
          break;
        case 'smtp':
          await sendByMail(notice, channel, receiver, patience);
          break;
        case 'pagerduty':
          await sendToPagerDuty(notice, channel, receiver, patience);
          break;
      }
      return { summary: `${receiver.name} was told: ${notice.title}` };
    },
  };
}
