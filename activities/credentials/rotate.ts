/** New passwords on a promoted copy that nobody else reaches yet. */
import type { Client } from 'pg';
import { PermanentError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import { runOwnersCommand } from '../command/run.js';
import type { DatabaseAt, MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { adminOf } from '../service/index.js';
import { isSealed } from '../service/sealed.js';
import { newSecret } from './new-secret.js';
import { scramVerifier } from './scram.js';

export const rotateCredentials: MusterActivities['rotateCredentials'] = async ({
  at,
  sealed,
  promotion,
  renewals,
  roles,
  rotations,
}) => {
  requireReal(at, `exchange passwords at ${sealed.site}`);
  requireSealed(sealed);
  const verifiers = new Map<string, string>();
  for (const { user, newPassword } of renewals) {
    verifiers.set(user, scramVerifier(await newSecret(newPassword, promotion.promotedAt)));
  }
  const { admin, application } = sealed.postgres;
  const { absent, withoutPassword, shutOut } = await withClient(
    adminOf(sealed.postgres),
    { statementTimeoutMs: 60_000, applicationName: 'muster credentials' },
    (client) => exchange(client, verifiers, { known: roles, needed: [admin.user, application.user] }),
  );
  for (const { title, proof: _, ...command } of rotations) {
    await runOwnersCommand(at, `scenarios, rotations of breach, ${title}`, command, { act: 'rotate' });
  }
  const byOwner = rotations.map(({ title }) => title);
  const logins = renewals
    .filter(({ user }) => !absent.includes(user))
    .map(({ user, newPassword }) => ({ user, newPassword }));
  return {
    logins,
    absent,
    withoutPassword,
    shutOut,
    byOwner,
    summary: [
      `new passwords for ${logins.map(({ user }) => user).join(', ')}`,
      ...(absent.length === 0 ? [] : [`not in the database: ${absent.join(', ')}`]),
      ...(withoutPassword.length === 0 ? [] : [`none any more for ${withoutPassword.join(', ')}`]),
      ...(shutOut.length === 0 ? [] : [`shut out: ${shutOut.join(', ')}`]),
      ...(byOwner.length === 0 ? [] : [`exchanged by the owner's programs: ${byOwner.join(', ')}`]),
    ].join('; '),
  };
};

/** @throws PermanentError `NotSealed` */
export function requireSealed({ site, postgres }: DatabaseAt): void {
  if (isSealed(postgres)) return;
  throw new PermanentError('NotSealed', `The copy at ${site} can be reached over the network.`, {
    why: 'Whoever has an old password could be in it before the passwords are exchanged.',
    next: 'This is a fault of the scenario: do not go on, abort.',
  });
}

/** Done again it has the same effect: a verifier of the same password, made anew. */
async function exchange(
  client: Client,
  verifiers: ReadonlyMap<string, string>,
  { known, needed }: { readonly known: readonly string[]; readonly needed: readonly string[] },
) {
  const { rows } = await client.query<{
    name: string;
    password: boolean;
    login: boolean;
    superuser: boolean;
  }>(
    `select rolname as name, rolpassword is not null as password, rolcanlogin as login, rolsuper as superuser
       from pg_authid where rolname !~ '^pg_' order by 1`,
  );
  const absent = [...verifiers.keys()].filter((user) => !rows.some(({ name }) => name === user));
  const missing = absent.filter((user) => needed.includes(user));
  if (missing.length > 0) {
    throw new PermanentError('RoleMissing', `The recovered database has no role ${missing.join(', ')}.`, {
      why: 'It was made after the point that was gone back to, or the runbook misspells it.',
      next: 'Make it there (psql by the socket of the site, as the administrator), with no password, then retry the step.',
    });
  }
  const withoutPassword: string[] = [];
  const shutOut: string[] = [];
  // Neither statement nor verifier may be written to a log, and no standby is waited for.
  await client.query(
    'begin; set local synchronous_commit = local; set local log_statement = none; set local log_min_duration_statement = -1; set local log_min_error_statement = panic',
  );
  try {
    for (const { name, password, login, superuser } of rows) {
      const role = client.escapeIdentifier(name);
      const verifier = verifiers.get(name);
      if (verifier !== undefined) {
        await client.query(
          `alter role ${role} password ${client.escapeLiteral(verifier)} valid until 'infinity'`,
        );
        continue;
      }
      if (password) {
        await client.query(`alter role ${role} password null`);
        withoutPassword.push(name);
      }
      if (!known.includes(name)) {
        if (login || superuser) await client.query(`alter role ${role} nologin nosuperuser noreplication`);
        shutOut.push(name);
      }
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  return { absent, withoutPassword, shutOut };
}
