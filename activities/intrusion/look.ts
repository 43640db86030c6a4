/** A look at one server: what in it is beyond the baseline of its owner. */
import { formatCount } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt } from '../contract.js';
import { withProgress } from '../progress.js';
import { adminOf } from '../service/index.js';
import { catalogueSigns } from './catalogue.js';
import { contentSigns } from './content.js';
import type { Baseline, IntrusionSign } from './contract.js';
import { ISO } from './dates.js';

/** The application is not stopped before the look is over, so no statement of it may take long. */
const STATEMENT_MS = 20_000;
const MOST_TOLD = 8;

export interface Server {
  readonly system: string;
  /** null: in recovery. */
  readonly timeline: number | null;
  readonly now: string;
}

/** Reads catalogues and content of a server, in a transaction that cannot write. Signs come by date, those without one last. */
export function lookAt(
  at: DatabaseAt,
  baseline: Baseline,
  tables: readonly string[],
): Promise<{ readonly signs: readonly IntrusionSign[]; readonly server: Server }> {
  return withProgress({ done: 0, unit: 'rows', text: 'reading the catalogues' }, (update) =>
    withClient(
      adminOf(at.postgres),
      { statementTimeoutMs: STATEMENT_MS, applicationName: 'muster intrusion', signal: activitySignal() },
      async (client) => {
        // Nothing of the intruder's is run: neither by a search path nor by what a changed row sets off.
        await client.query(
          'begin transaction isolation level repeatable read read only; set local search_path = pg_catalog; set local row_security = off',
        );
        const { rows } = await client.query<Server>(
          `select (select system_identifier::text from pg_control_system()) as system,
                  case when not pg_is_in_recovery()
                       then ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline,
                  to_char(clock_timestamp() at time zone 'UTC', ${ISO}) as now`,
        );
        const signs = [
          ...(await catalogueSigns(client, baseline)),
          ...(await contentSigns(client, baseline, tables, (done, total) =>
            update({ done, total, unit: 'rows', text: `column ${done + 1} of ${total} sampled` }),
          )),
        ];
        await client.query('rollback');
        return { signs: byDate(signs), server: rows[0] as Server };
      },
    ),
  );
}

function byDate(signs: readonly IntrusionSign[]): readonly IntrusionSign[] {
  const key = ({ seenAt, what }: IntrusionSign) => `${seenAt ?? '~'} ${what}`;
  return [...signs].sort((one, other) => (key(one) < key(other) ? -1 : 1));
}

/** Signs in words, the first few of them. */
export function listed(signs: readonly IntrusionSign[]): string {
  const more = signs.length - MOST_TOLD;
  const told = signs.slice(0, MOST_TOLD).map(({ what }) => what);
  return `${told.join('; ')}${more > 0 ? `; and ${formatCount(more)} more` : ''}`;
}
