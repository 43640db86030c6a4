/**
 * The catalogues of a database, held against what its owner says belongs there (PostgreSQL manual: 53, system catalogs). Whatever
 * initdb made has an object number below 16384; extensions own what they brought along.
 */
import type { Client } from 'pg';
import type { Baseline, IntrusionSign } from './contract.js';
import { commitTimeOf } from './dates.js';

/** @returns every sign, in no order */
export async function catalogueSigns(client: Client, baseline: Baseline): Promise<readonly IntrusionSign[]> {
  const found: IntrusionSign[] = [];
  for (const look of [roles, rights, functions, triggers, extensions, tables, others]) {
    found.push(...(await look(client, baseline)));
  }
  return found;
}

/** What the fence itself leaves behind. */
const MUSTERS_OWN = ['muster_fenced'];
const FIRST_OF_USERS = 16_384;

type Look = (client: Client, baseline: Baseline) => Promise<readonly IntrusionSign[]>;

const roles: Look = async (client, { roles: known, superusers }) => {
  const { rows } = await client.query<{
    name: string;
    superuser: boolean;
    login: boolean;
    at: string | null;
  }>(
    `select rolname as name, rolsuper as superuser, rolcanlogin as login, ${commitTimeOf('a')} as at
       from pg_authid as a where rolname !~ '^pg_' and rolname <> all($1)`,
    [MUSTERS_OWN],
  );
  return rows.flatMap(({ name, superuser, login, at }): IntrusionSign[] => {
    const may = [superuser ? 'superuser' : '', login ? 'may log in' : ''].filter((one) => one !== '');
    if (!known.includes(name)) {
      return [
        { kind: 'role', what: `role ${name}${may.length > 0 ? ` (${may.join(', ')})` : ''}`, seenAt: at },
      ];
    }
    if (superuser && !superusers.includes(name)) {
      return [{ kind: 'right', what: `role ${name} has become a superuser`, seenAt: at }];
    }
    return [];
  });
};

/** Memberships that are worth as much as being a superuser: they reach the server's files and programs, or a superuser. */
const rights: Look = async (client, { superusers }) => {
  const { rows } = await client.query<{ member: string; granted: string; at: string | null }>(
    `select m.rolname as member, g.rolname as granted, ${commitTimeOf('a')} as at
       from pg_auth_members as a join pg_roles as g on g.oid = a.roleid join pg_roles as m on m.oid = a.member
      where (g.rolsuper
          or g.rolname in ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'))
        and m.rolname <> all($1) and m.rolname !~ '^pg_'`,
    [superusers],
  );
  return rows.map(({ member, granted, at }) => ({
    kind: 'right',
    what: `role ${member} is a member of ${granted}`,
    seenAt: at,
  }));
};

const functions: Look = async (client, baseline) => {
  const { rows } = await client.query<{
    name: string;
    definer: boolean;
    language: string;
    sha256: string;
    at: string | null;
  }>(
    `select format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)) as name,
            p.prosecdef as definer, l.lanname as language,
            encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex') as sha256, ${commitTimeOf('p')} as at
       from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace join pg_language as l on l.oid = p.prolang
      where p.oid >= $1 and n.nspname !~ '^pg_temp' and not ${ofExtension('pg_proc', 'p')}`,
    [FIRST_OF_USERS],
  );
  const known = new Map(baseline.functions.map(({ name, sha256 }) => [name, sha256]));
  return rows.flatMap(({ name, definer, language, sha256, at }): IntrusionSign[] => {
    if (!known.has(name)) {
      const how = `${language}${definer ? ', with the rights of its owner' : ''}`;
      return [{ kind: 'function', what: `function ${name} (${how})`, seenAt: at }];
    }
    const expected = known.get(name);
    if (expected === undefined || expected === sha256) return [];
    return [{ kind: 'function', what: `function ${name} has another body`, seenAt: at }];
  });
};

const triggers: Look = async (client, baseline) => {
  const { rows } = await client.query<{ name: string; state: string; at: string | null }>(
    `select format('%s.%s.%s', n.nspname, c.relname, t.tgname) as name, t.tgenabled::text as state,
            ${commitTimeOf('t')} as at
       from pg_trigger as t join pg_class as c on c.oid = t.tgrelid join pg_namespace as n on n.oid = c.relnamespace
      where not t.tgisinternal
      union all
     select 'event trigger ' || evtname, evtenabled::text, ${commitTimeOf('e')} from pg_event_trigger as e
      where not ${ofExtension('pg_event_trigger', 'e')}`,
  );
  const missing = baseline.triggers
    .filter((known) => !rows.some(({ name }) => name === known))
    .map((name): IntrusionSign => ({ kind: 'trigger', what: `trigger ${name} is missing`, seenAt: null }));
  return [
    ...missing,
    ...rows.flatMap(({ name, state, at }): IntrusionSign[] => {
      const what = name.startsWith('event trigger ') ? name : `trigger ${name}`;
      if (!baseline.triggers.includes(name)) return [{ kind: 'trigger', what, seenAt: at }];
      return state === 'D' || state === 'R'
        ? [{ kind: 'trigger', what: `${what} is switched off`, seenAt: at }]
        : [];
    }),
  ];
};

const extensions: Look = async (client, { extensions: known }) => {
  const { rows } = await client.query<{ name: string; at: string | null }>(
    `select extname as name, ${commitTimeOf('e')} as at from pg_extension as e
      where extname <> 'plpgsql' and extname <> all($1)`,
    [known],
  );
  return rows.map(({ name, at }) => ({ kind: 'extension', what: `extension ${name}`, seenAt: at }));
};

const tables: Look = async (client, { schemas }) => {
  const { rows } = await client.query<{ name: string; kind: string; at: string | null }>(
    `select format('%s.%s', n.nspname, c.relname) as name,
            case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table'
              else 'table' end as kind, ${commitTimeOf('c')} as at
       from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
      where c.oid >= $1 and c.relkind in ('r', 'p', 'f', 'v', 'm') and n.nspname <> all($2)
        and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
        and not ${ofExtension('pg_class', 'c')}`,
    [FIRST_OF_USERS, schemas],
  );
  return rows.map(({ name, kind, at }) => ({ kind: 'table', what: `${kind} ${name}`, seenAt: at }));
};

/** What carries data out, or lets it in. */
const others: Look = async (client, { others: known }) => {
  const { rows } = await client.query<{ what: string; at: string | null }>(
    `select 'database ' || datname as what, ${commitTimeOf('d')} as at from pg_database as d
      where datname not in ('postgres', 'template0', 'template1', current_database())
      union all select 'publication ' || pubname, ${commitTimeOf('p')} from pg_publication as p
      union all select 'subscription ' || subname, ${commitTimeOf('s')} from pg_subscription as s
      union all select 'server ' || srvname, ${commitTimeOf('f')} from pg_foreign_server as f`,
  );
  return rows
    .filter(({ what }) => !known.includes(what))
    .map(({ what, at }) => ({ kind: 'other', what, seenAt: at }));
};

function ofExtension(catalogue: string, alias: string): string {
  return `exists (select from pg_depend where classid = '${catalogue}'::regclass and objid = ${alias}.oid and deptype = 'e')`;
}
