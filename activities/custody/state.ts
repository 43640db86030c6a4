/** What ends with the server's processes, and what the fence changes: written down before anything is done. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import { messageOf, TransientError } from '../../src/errors.js';
import { musterHome } from '../../src/home.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { Anchor } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { MusterActivities, StepRef } from '../contract.js';
import { adminOf } from '../service/index.js';
import { withEvidence } from './bucket.js';
import { prefixOf } from './names.js';

const STATEMENT_MS = 20_000;
/** People wait to isolate: a bucket that hangs is not waited for. */
const REQUEST_MS = 10_000;

/** Without hashes of passwords: evidence is read by many. */
const QUESTIONS = {
  server: `select version(), current_setting('data_directory') as data_directory, pg_postmaster_start_time() as started,
             pg_conf_load_time() as configured, clock_timestamp() as now, pg_current_wal_lsn()::text as wal`,
  sessions: 'select * from pg_stat_activity',
  replication: 'select * from pg_stat_replication',
  slots: 'select * from pg_replication_slots',
  subscriptions: 'select oid, subname, subenabled, subpublications from pg_subscription',
  publications: 'select * from pg_publication',
  roles: `select r.*, a.rolpassword is not null as has_password from pg_roles as r join pg_authid as a on a.oid = r.oid`,
  memberships: `select m.rolname as member, g.rolname as granted, a.admin_option from pg_auth_members as a
                  join pg_roles as m on m.oid = a.member join pg_roles as g on g.oid = a.roleid`,
  'role settings': 'select * from pg_db_role_setting',
  'host rules': 'select * from pg_hba_file_rules',
  settings: `select name, setting, source, sourcefile, sourceline from pg_settings where source not in ('default', 'override')`,
  databases: 'select oid, datname, datdba::regrole::text as owner, datallowconn from pg_database',
  extensions: 'select * from pg_extension',
  functions: `select p.oid, p.oid::regprocedure::text as name, p.proowner::regrole::text as owner, p.prosecdef, l.lanname,
                     encode(sha256(convert_to(p.prosrc, 'UTF8')), 'hex') as sha256
                from pg_proc as p join pg_language as l on l.oid = p.prolang where p.oid >= 16384`,
  triggers: `select t.oid, t.tgrelid::regclass::text as table, t.tgname, t.tgenabled, t.tgfoid::regproc::text as function
               from pg_trigger as t where not t.tgisinternal`,
  'event triggers': 'select * from pg_event_trigger',
  tables: 'select * from pg_stat_user_tables',
  archiver: 'select * from pg_stat_archiver',
  locks: 'select * from pg_locks',
} as const;

export const captureState: MusterActivities['captureState'] = async ({ at, damaged, evidence }) => {
  const takenAt = new Date().toISOString();
  const { site, postgres } = damaged;
  const answers = await withClient(
    adminOf(postgres),
    { statementTimeoutMs: STATEMENT_MS, applicationName: 'muster custody', signal: activitySignal() },
    askAll,
  ).catch((error: unknown) => {
    if (error instanceof TransientError && error.code === 'DatabaseUnreachable') return error;
    throw error;
  });
  if (answers instanceof TransientError) {
    const summary = `NOTHING KEPT of what ${site} knew: ${messageOf(answers)}`;
    return { key: null, sha256: '', bytes: 0, sessions: 0, summary };
  }
  const document = {
    schema: 'muster.captured-state/1',
    run: at.runId,
    system: at.system,
    takenAt,
    from: { site, host: postgres.host, port: postgres.port, database: postgres.database },
    ...answers,
  };
  const body = Buffer.from(`${JSON.stringify(document, null, 1)}\n`);
  // A later attempt adds another one: what was seen first stays.
  const name = `state-${takenAt.replaceAll(':', '')}.json`;
  const { key, where } = await keep(evidence, at, name, body);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const sessions = Array.isArray(answers.sessions) ? answers.sessions.length : 0;
  return {
    key,
    sha256,
    bytes: body.length,
    sessions,
    summary: `${formatCount(sessions)} sessions, roles, rules and settings of ${site} kept ${where} (${formatBytes(body.length)}, SHA-256 ${sha256})`,
  };
};

/** In the bucket; where that does not take it now, on this machine, until the evidence is secured. */
async function keep(
  evidence: Anchor,
  at: StepRef,
  name: string,
  body: Buffer,
): Promise<{ readonly key: string; readonly where: string }> {
  try {
    const { key } = await withEvidence(
      evidence,
      activitySignal(),
      (bucket) => bucket.put(`${prefixOf(at)}${name}`, body, 'application/json'),
      REQUEST_MS,
    );
    return { key, where: `in ${evidence.bucket}, ${key}` };
  } catch (error) {
    activitySignal().throwIfAborted();
    const folder = join(musterHome(process.env), 'evidence', encodeURIComponent(at.runId));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, name);
    await writeFile(file, body, { mode: 0o600, flush: true });
    return { key: `file:${file}`, where: `in ${file}, NOT LOCKED yet: ${messageOf(error)}` };
  }
}

/** A question that a damaged server cannot answer is answered with why. */
async function askAll(client: Client): Promise<Readonly<Record<string, unknown>>> {
  const answers: Record<string, unknown> = {};
  for (const [name, sql] of Object.entries(QUESTIONS)) {
    answers[name] = await client.query(sql).then(
      ({ rows }) => rows,
      (error: unknown) => ({ unanswered: messageOf(error) }),
    );
  }
  return answers;
}
