import type { PrintedCommand } from '../../src/model/plan.js';
import type { DatabaseAt, Renewal } from '../contract.js';
import { trialDatabase } from '../service/trial-database.js';

function socketPsql({ postgres }: DatabaseAt, user: string, database: string): string {
  return `psql -h ${postgres.service.socketDirectory} -p ${postgres.port} -U ${user} -d ${database}`;
}

function on({ postgres }: DatabaseAt): string {
  return `on the host of ${postgres.service.dataDirectory}, as ${postgres.service.account}`;
}

/** New passwords by hand. */
export function rotateCommands(sealed: DatabaseAt, renewals: readonly Renewal[]): readonly PrintedCommand[] {
  const { admin, database } = sealed.postgres;
  const psql = socketPsql(sealed, admin.user, database);
  return [
    ...renewals.flatMap(({ user, newPassword }): PrintedCommand[] => [
      {
        where: on(sealed),
        command: `umask 077 && openssl rand -base64 33 | tr '+/' '-_' > ${newPassword.slice('file:'.length)}`,
      },
      {
        where: on(sealed),
        command: `${psql} -c '\\password ${user}'`,
        note: 'Give the new password at the prompt: it is hashed before it is sent.',
      },
    ]),
    {
      where: on(sealed),
      command: `${psql} -Atc "SELECT format('ALTER ROLE %I PASSWORD NULL;', rolname) FROM pg_authid WHERE rolpassword IS NOT NULL AND rolname NOT IN (${renewals.map(({ user }) => `'${user}'`).join(', ')})" | ${psql}`,
      note: 'Whoever is not named keeps no password.',
    },
  ];
}

/** The old passwords tried by hand. */
export function proveCommands(
  sealed: DatabaseAt,
  damaged: DatabaseAt,
  renewals: readonly Renewal[],
): readonly PrintedCommand[] {
  const { host, port, database } = damaged.postgres;
  return renewals.flatMap(({ user }): PrintedCommand[] => [
    {
      where: on(sealed),
      command: `${socketPsql(sealed, user, trialDatabase(sealed.postgres))} -W -c 'SELECT 1'`,
      note: 'With the old password: must be answered "password authentication failed". Then with the new one: must work.',
    },
    {
      where: 'anywhere that the application runs',
      command: `psql -h ${host} -p ${port} -U ${user} -d ${database} -W -c 'SELECT 1'`,
      note: 'With the old password: must be refused, or not be answered at all.',
    },
  ]);
}

/** The way in opened by hand. */
export function openCommands(target: DatabaseAt): readonly PrintedCommand[] {
  const { dataDirectory } = target.postgres.service;
  return [
    {
      where: on(target),
      command: `sed -i "/^\\(hba_file\\|unix_socket_permissions\\) /d; s/^listen_addresses = .*/listen_addresses = '${target.postgres.host}'/" ${dataDirectory}/postgresql.auto.conf && grep -vE '^ *(#|$)' ${dataDirectory}/pg_hba.conf`,
      note: 'Every line that is not "local" must end with scram-sha-256 or another method that asks for a proof.',
    },
    { where: on(target), command: `pg_ctl restart -D ${dataDirectory} -m fast -w` },
  ];
}
