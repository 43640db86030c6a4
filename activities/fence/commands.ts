import type { PrintedCommand } from '../../src/model/plan.js';
import type { DatabaseAt } from '../contract.js';

/** The fence by hand: what `postgres-login` does, statement by statement. */
export function fenceCommands({ damaged }: { readonly damaged: DatabaseAt }): readonly PrintedCommand[] {
  const { host, port, database, admin, application } = damaged.postgres;
  const maintenance = database === 'postgres' ? 'template1' : 'postgres';
  const psql = (statement: string) =>
    `psql -h ${host} -p ${port} -U ${admin.user} -d ${maintenance} -v ON_ERROR_STOP=1 -c "${statement}"`;
  const where = 'anywhere that reaches the damaged primary';
  return [
    {
      where,
      command: psql(
        "CREATE ROLE muster_fenced NOLOGIN; DO $$ DECLARE r name; BEGIN FOR r IN SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname <> session_user LOOP EXECUTE format('GRANT muster_fenced TO %I', r); EXECUTE format('ALTER ROLE %I NOLOGIN', r); END LOOP; END $$",
      ).replaceAll('$$', '\\$\\$'),
      note: "Nobody but Muster's own login gets in any more. The members of muster_fenced are those that get their login back if the recovery is called off.",
    },
    {
      where,
      command: psql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender')",
      ),
      note: 'Repeat until it returns no rows.',
    },
    {
      where,
      command: psql(`ALTER DATABASE ${database} ALLOW_CONNECTIONS false`),
      note: 'Superusers stay out too.',
    },
    { where, command: psql('SELECT pg_switch_wal()'), note: 'The last writes go to the archive.' },
    {
      where,
      command: `psql -h ${host} -p ${port} -U ${application.user} -d ${database} -c "CREATE TEMPORARY TABLE muster_proof (x integer)"`,
      note: `Must be refused with: role "${application.user}" is not permitted to log in. Anything else, a time-out or a wrong password too, proves nothing: do not promote.`,
    },
    {
      where: 'only if the recovery is called off and nothing was promoted',
      command: psql(
        `ALTER DATABASE ${database} ALLOW_CONNECTIONS true; DO $$ DECLARE r name; BEGIN FOR r IN SELECT m.rolname FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member WHERE a.roleid = 'muster_fenced'::regrole LOOP EXECUTE format('ALTER ROLE %I LOGIN', r); EXECUTE format('REVOKE muster_fenced FROM %I', r); END LOOP; END $$; DROP ROLE muster_fenced`,
      ).replaceAll('$$', '\\$\\$'),
      note: 'Undoes the fence.',
    },
  ];
}
