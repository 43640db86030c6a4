/** What a disaster did to the live data, before anything is touched. */
import type { Client } from 'pg';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { DataClass, Invariant } from '../../src/runbook/schema.js';
import { reportProgress } from '../context.js';
import type { Assessment, DatabaseAt, InvariantResult, MusterActivities } from '../contract.js';
import { askInvariant } from '../verify/invariant-query.js';
import { lookAtLost } from './lost.js';

/** The primary still serves users: two at once leave it room. */
const JOBS = 2;

export function assessActivities(): Pick<MusterActivities, 'assessDamage' | 'lookAtLost'> {
  return {
    lookAtLost,

    async assessDamage({ damaged, invariants, dataClasses }) {
      let server: Server;
      try {
        server = await readServer(damaged, dataClasses);
      } catch (error) {
        if (error instanceof TransientError) return unreachable(damaged, error);
        throw error;
      }
      const { results, unanswered } = await askAll(damaged, invariants);
      return {
        ...server,
        reachable: true,
        invariants: results,
        summary: summarise(results, unanswered, server.disabledTriggers),
      };
    },
  };
}

interface Answers {
  /** In the order of the runbook. */
  readonly results: readonly InvariantResult[];
  /** Names of those whose query the damaged database cannot run. */
  readonly unanswered: ReadonlySet<string>;
}

async function askAll({ postgres }: DatabaseAt, invariants: readonly Invariant[]): Promise<Answers> {
  const results: InvariantResult[] = [];
  const unanswered = new Set<string>();
  const waiting = invariants.entries();
  const ask = async () => {
    for (const [index, invariant] of waiting) {
      results[index] = await askInvariant(postgres, invariant).catch((error: unknown) => {
        // A table that is gone is damage, not a reason to stop looking.
        if (!(error instanceof PermanentError && error.code === 'InvariantUnanswered')) throw error;
        unanswered.add(invariant.name);
        const { name, title } = invariant;
        return { name, title, violations: 1, samples: [error.message], durationMs: 0 };
      });
      const done = results.filter((result) => result !== undefined).length;
      reportProgress({
        done,
        total: invariants.length,
        unit: 'rows',
        text: `${done} of ${invariants.length} invariants tried`,
      });
    }
  };
  await Promise.all(Array.from({ length: JOBS }, ask));
  return { results, unanswered };
}

type Server = Omit<Assessment, 'summary' | 'reachable' | 'invariants'>;

/** @throws TransientError `DatabaseUnreachable`; PermanentError `AssessmentFailed` */
async function readServer(
  { site, postgres }: DatabaseAt,
  dataClasses: Readonly<Record<string, DataClass>>,
): Promise<Server> {
  const { host, port, database, admin } = postgres;
  return withClient(
    { host, port, database, ...admin },
    { statementTimeoutMs: 20_000, applicationName: 'muster assess' },
    async (client) => {
      try {
        return {
          ...(await readIdentity(client)),
          disabledTriggers: await readDisabledTriggers(client, dataClasses),
        };
      } catch (error) {
        throw new PermanentError(
          'AssessmentFailed',
          `The primary at ${site} cannot be assessed: ${messageOf(error)}.`,
          {
            next: `Give ${admin.user} the rights to read pg_control and the catalogues (superuser or pg_monitor), then retry the step.`,
            cause: error,
          },
        );
      }
    },
  );
}

async function readIdentity(client: Client) {
  const { rows } = await client.query<{
    version: string;
    system: string;
    recovering: boolean;
    timeline: number;
    bytes: string;
  }>(
    `select current_setting('server_version') as version, pg_is_in_recovery() as recovering,
            (select system_identifier::text from pg_control_system()) as system,
            case when pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint())
                 else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline,
            pg_database_size(current_database()) as bytes`,
  );
  const [server] = rows;
  if (server === undefined) throw new Error('the server gave no answer about itself');
  return {
    serverVersion: server.version,
    systemIdentifier: server.system,
    timeline: server.timeline,
    inRecovery: server.recovering,
    databaseBytes: Number(server.bytes),
  };
}

async function readDisabledTriggers(
  client: Client,
  dataClasses: Readonly<Record<string, DataClass>>,
): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select tgrelid::regclass::text || '.' || tgname as name from pg_trigger
      where tgenabled = 'D' and not tgisinternal and tgrelid = any(select to_regclass(unnest($1::text[]))) order by 1`,
    [Object.values(dataClasses).map(({ table }) => table)],
  );
  return rows.map(({ name }) => name);
}

function summarise(
  results: readonly InvariantResult[],
  unanswered: ReadonlySet<string>,
  disabledTriggers: readonly string[],
): string {
  const broken = results.filter(({ violations }) => violations > 0);
  if (broken.length === 0 && disabledTriggers.length === 0) {
    return `no damage found: all ${results.length} invariants hold`;
  }
  const rows = broken.map(({ name, violations }) =>
    unanswered.has(name) ? `${name} cannot be asked` : `${name} ${formatCount(violations)} rows`,
  );
  const triggers = disabledTriggers.length === 0 ? [] : [`switched off: ${disabledTriggers.join(', ')}`];
  const count = `${broken.length} of ${results.length} invariants broken`;
  return [rows.length === 0 ? count : `${count}: ${rows.join(', ')}`, ...triggers].join('; ');
}

function unreachable({ site }: DatabaseAt, error: TransientError): Assessment {
  return {
    reachable: false,
    serverVersion: '',
    systemIdentifier: '',
    timeline: 0,
    inRecovery: false,
    invariants: [],
    disabledTriggers: [],
    databaseBytes: 0,
    summary: `the primary at ${site} does not answer: ${error.message}`,
  };
}
