import type { PrintedCommand } from '../../src/model/plan.js';
import type { DatabaseAt } from '../contract.js';
import type { Baseline } from './contract.js';

/** The look for an intruder by hand. */
export function intrusionCommands({
  at: { postgres },
  baseline,
}: {
  readonly at: DatabaseAt;
  readonly baseline: Baseline;
}): readonly PrintedCommand[] {
  const { host, port, database, admin } = postgres;
  const psql = (statement: string) =>
    `PGOPTIONS='-c default_transaction_read_only=on' psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -At -c "${statement}"`;
  const where = host.startsWith('/') ? 'on the host of the copy' : 'anywhere that reaches the database';
  const list = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ');
  const since = (alias: string) => `pg_xact_commit_timestamp(${alias}.xmin)`;
  return [
    {
      where,
      command: psql(
        `SELECT rolname, rolsuper, rolcanlogin, ${since('a')} FROM pg_authid a WHERE rolname !~ '^pg_' AND (rolname NOT IN (${list(baseline.roles)}) OR rolsuper AND rolname NOT IN (${list(baseline.superusers)}))`,
      ),
      note: 'Roles and superusers that do not belong there. The time is that of the last change.',
    },
    {
      where,
      command: psql(
        `SELECT p.oid::regprocedure, p.prosecdef, encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex'), ${since('p')} FROM pg_proc p WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')`,
      ),
      note: `Known are: ${baseline.functions.map(({ name }) => name).join(', ') || 'none'}.`,
    },
    {
      where,
      command: psql(
        `SELECT tgrelid::regclass, tgname, tgenabled, ${since('t')} FROM pg_trigger t WHERE NOT tgisinternal UNION ALL SELECT NULL, evtname, evtenabled, ${since('e')} FROM pg_event_trigger e`,
      ),
      note: `Known are: ${baseline.triggers.join(', ') || 'none'}.`,
    },
    {
      where,
      command: psql(`SELECT extname, ${since('e')} FROM pg_extension e`),
      note: `Known are: ${['plpgsql', ...baseline.extensions].join(', ')}.`,
    },
    {
      where,
      command: psql(
        `SELECT c.oid::regclass, relkind, ${since('c')} FROM pg_class c WHERE oid >= 16384 AND relkind IN ('r', 'p', 'v', 'm', 'f') AND relnamespace::regnamespace::text NOT IN (${list(baseline.schemas)}, 'pg_toast')`,
      ),
      note: 'Tables where the owner has none; look into a few rows of each of the own ones for text that nobody can read.',
    },
  ];
}
