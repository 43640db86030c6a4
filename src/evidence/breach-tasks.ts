/** What a breach leaves to people: a recovery brings the service back, it does not find out who was in. */
import type { Task } from './document.js';
import { evidenceOf, type Outputs, provenDeadOf, rotationsOf, signsOf } from './outputs.js';

const SECURITY = 'security-lead';

/** What was found of the intruder. */
export function breachFindings(outputs: Outputs): Task[] {
  return signsOf(outputs).flatMap(({ output }) =>
    output.signs.map(({ what, seenAt }) => ({
      text: `Sign of the intruder: ${what}${seenAt === null ? ', not dated' : `, last changed at ${seenAt}`}.`,
      owner: SECURITY,
    })),
  );
}

/** Stays open in the report, whatever the outcome of the run. Empty for a run that looked for no intruder. */
export function breachTasks(outputs: Outputs): Task[] {
  const [signs] = signsOf(outputs);
  if (signs === undefined) return [];
  const [evidence] = evidenceOf(outputs);
  const [rotated] = rotationsOf(outputs);
  const unproven = provenDeadOf(outputs).flatMap(({ output }) => output.unproven);
  const where =
    evidence === undefined
      ? 'The evidence is NOT locked elsewhere: secure the quarantined cluster by hand before anything else'
      : `The evidence is in ${evidence.output.bucket}, locked until ${evidence.output.lockedUntil}, chain of custody ${evidence.output.custodyKey} (SHA-256 ${evidence.output.custodySha256})`;
  const tasks = [
    `Find out how the intruder came in, and since when: the signs date what was left behind, not the way in. ${where}.`,
    'Find out what the intruder has read and carried out: sessions and addresses stand in the captured state.',
    'Look at every other host, pipeline and account that held one of the stolen credentials.',
    'Exchange what this run did not: keys of object stores, DNS and vault, signing keys, keys of people, certificates; the passphrases of backups stay readable to whoever has stolen them.',
    'Do not trust the copies that the intruder could reach: make those repositories anew, with new keys.',
  ];
  if (rotated !== undefined) {
    const files = rotated.output.logins.map(({ user, newPassword }) => `${user}: ${newPassword}`).join(', ');
    tasks.push(`Put the new references into the runbook in place of the old ones (${files}).`);
    const { withoutPassword, shutOut } = rotated.output;
    if (withoutPassword.length + shutOut.length > 0) {
      tasks.push(
        `Decide about the roles that have no password any more: ${[...withoutPassword, ...shutOut].join(', ')}.`,
      );
    }
  }
  if (unproven.length > 0)
    tasks.push(`Prove that these are dead, which nothing has: ${unproven.join(', ')}.`);
  return [
    ...tasks.map((text) => ({ text, owner: SECURITY })),
    {
      text: 'Decide with the lawyers whether the breach must be notified, to whom and until when (personal data: within 72 hours of becoming aware, GDPR article 33).',
      owner: 'incident commander',
    },
  ];
}
