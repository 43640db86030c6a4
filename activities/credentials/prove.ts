/** Every old credential is tried, and must be refused: at the new primary because it is wrong, at the old one by whatever. */
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { type Login, withClient } from '../../src/postgres.js';
import { runOwnersCommand } from '../command/run.js';
import type { DatabaseAt, MusterActivities, OldCredentialsDead, Renewal } from '../contract.js';
import { answerOf } from '../fence/proof.js';
import { requireReal } from '../production.js';
import { trialDatabase } from '../service/trial-database.js';
import { requireSealed } from './rotate.js';

const TRY_MS = 5_000;
/** `invalid_password`: the server knows the role and the password is not its (PostgreSQL manual: appendix A). */
const WRONG_PASSWORD = '28P01';

type Refused = OldCredentialsDead['refused'][number];

export const proveOldDead: MusterActivities['proveOldDead'] = async ({
  at,
  sealed,
  damaged,
  renewals,
  absent,
  rotations,
}) => {
  requireReal(at, `try old passwords at ${sealed.site}`);
  requireSealed(sealed);
  const { postgres } = sealed;
  const place = { host: postgres.host, port: postgres.port, database: trialDatabase(postgres) };
  const refused: Refused[] = [];
  for (const { user, oldPassword, newPassword } of renewals) {
    refused.push(
      await requireRefused({ ...place, user, password: oldPassword }, `${user} at ${sealed.site}`),
    );
    if (!absent.includes(user)) await requireAdmitted({ ...place, user, password: newPassword }, sealed.site);
  }
  for (const renewal of renewals) refused.push(await requireRefusedByOld(damaged, renewal));
  const unproven: string[] = [];
  for (const { title, proof } of rotations) {
    if (proof === undefined) {
      unproven.push(title);
      continue;
    }
    await runOwnersCommand(at, `scenarios, rotations of breach, proof of ${title}`, proof, { act: 'prove' });
    refused.push({ what: title, at: new Date().toISOString(), answer: "refused, by the owner's program" });
  }
  const users = renewals.map(({ user }) => user).join(', ');
  return {
    refused,
    unproven,
    summary: `the old passwords of ${users} are refused at ${sealed.site} and at ${damaged.site}${unproven.length === 0 ? '' : `; NOT PROVEN dead: ${unproven.join(', ')}`}`,
  };
};

/**
 * @param login with the old password
 * @throws PermanentError `OldCredentialAlive` when it gets in, `NotProvenDead` when the answer does not tell
 */
export async function requireRefused(login: Login, who: string): Promise<Refused> {
  const answer = await attemptWith(login);
  if (answer === undefined) throw alive(who);
  if (answer.code === WRONG_PASSWORD) {
    return { what: who, at: new Date().toISOString(), answer: `${answer.code} ${answer.text}` };
  }
  throw new PermanentError('NotProvenDead', `The old password of ${who} was answered with: ${answer.text}.`, {
    why: 'Only a refusal of the password itself proves that it is dead.',
    next: 'Find out what answered (pg_roles, the log of the server), then retry the step.',
  });
}

/** The old server is stopped, or its fence refuses everybody. */
async function requireRefusedByOld({ site, postgres }: DatabaseAt, renewal: Renewal): Promise<Refused> {
  const { host, port, database } = postgres;
  const { user, oldPassword } = renewal;
  const who = `${user} at ${site}`;
  const answer = await attemptWith({ host, port, database, user, password: oldPassword });
  if (answer === undefined) throw alive(who);
  return { what: who, at: new Date().toISOString(), answer: `${answer.code ?? 'no answer'} ${answer.text}` };
}

async function requireAdmitted(login: Login, site: string): Promise<void> {
  const answer = await attemptWith(login);
  if (answer === undefined) return;
  throw new TransientError(
    'NewCredentialRefused',
    `The new password of ${login.user} does not work at ${site}: ${answer.text}.`,
    { next: 'Retry the step that exchanges the passwords, then this one.' },
  );
}

/** @returns what was answered; undefined: it got in */
async function attemptWith(
  login: Login,
): Promise<{ readonly code?: string; readonly text: string } | undefined> {
  try {
    await withClient(
      login,
      { statementTimeoutMs: TRY_MS, connectTimeoutMs: TRY_MS, applicationName: 'muster proof' },
      (client) => client.query('select 1'),
    );
    return undefined;
  } catch (error) {
    // A reference that leads nowhere is no answer.
    if (!(error instanceof TransientError)) throw error;
    const { code, text } = answerOf(error);
    return { ...(code === undefined ? {} : { code }), text: text || messageOf(error) };
  }
}

function alive(who: string): PermanentError {
  return new PermanentError('OldCredentialAlive', `The old password of ${who} still lets in.`, {
    why: 'Whoever stole it is in as well.',
    next: 'Nobody else reaches the new primary yet: exchange the password (retry the step before), find out why it was not, then retry this one.',
  });
}
