/** What an intruder left in a database: on the live one to be dated, on a restored copy a reason not to promote it. */
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { PgbackrestBackup } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities } from '../contract.js';
import { lookInto } from '../point/holding.js';
import { withProgress } from '../progress.js';
import { adminOf } from '../service/index.js';
import { check, passed, verificationFailed } from '../verify/check.js';
import { catalogueSigns } from './catalogue.js';
import { contentSigns } from './content.js';
import type { Baseline, IntrusionSign, IntrusionSigns } from './contract.js';
import { ISO } from './dates.js';

/** The application is not stopped before the look is over, so no statement of it may take long. */
const STATEMENT_MS = 20_000;
const MOST_TOLD = 8;

export function intrusionActivities(): Pick<MusterActivities, 'lookForIntrusion' | 'verifyClean'> {
  return {
    async lookForIntrusion({ damaged, from, backup, baseline, tables }) {
      const looked = await look(damaged, baseline, tables).catch((error: unknown) => {
        if (error instanceof TransientError && error.code === 'DatabaseUnreachable') return error;
        throw error;
      });
      if (looked instanceof TransientError) return unseen(damaged, from, backup, looked);
      const { signs, server } = looked;
      if (server.timeline === null) {
        throw new PermanentError('NotThePrimary', `The database at ${damaged.site} is a standby.`, {
          next: 'Correct the site that was broken into in the runbook, then begin again. Nothing was touched.',
        });
      }
      const earliest = signs.find(({ seenAt }) => seenAt !== null)?.seenAt ?? null;
      return {
        systemIdentifier: server.system,
        timeline: server.timeline,
        time: earliest ?? server.now,
        signs,
        answers: true,
        earliest,
        summary: summarise(signs, earliest),
      };
    },

    async verifyClean({ target, baseline, tables }) {
      const heading = {
        rung: 7,
        title: 'no sign of the intruder',
        tool: 'muster: catalogues and content against the baseline',
        toolVersion: '1',
      };
      const checked = await check(heading, async () => {
        const { signs } = await look(target, baseline, tables);
        if (signs.length === 0) return `nothing beyond the baseline, no content that looks encrypted`;
        throw verificationFailed(
          heading,
          `${listed(signs)}.`,
          'The intruder was there before this point: abort, or begin again with an earlier moment (--before). If something of this belongs there, add it to the baseline of the runbook.',
          { signs: signs.length },
        );
      });
      return passed([checked]);
    },
  };
}

/** Dead, or the intruder has locked everybody out: people know the moment, the backups whose cluster it is. */
async function unseen(
  { site }: DatabaseAt,
  from: DatabaseAt,
  backup: PgbackrestBackup,
  error: TransientError,
): Promise<IntrusionSigns> {
  const [first] = backup.repositories;
  if (first === undefined) throw error;
  const any = { systemIdentifier: '', timeline: 0 };
  const { systemIdentifier, timeline } = await lookInto(from.postgres, backup, first.number, any);
  return {
    systemIdentifier,
    timeline,
    time: new Date().toISOString().replace('Z', '000Z'),
    signs: [],
    answers: false,
    earliest: null,
    summary: `NOTHING SEEN: the primary at ${site} does not let Muster in (${messageOf(error)}); it is system ${systemIdentifier}, as the backups say`,
  };
}

interface Server {
  readonly system: string;
  /** null: in recovery. */
  readonly timeline: number | null;
  readonly now: string;
}

function look(
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

function summarise(signs: readonly IntrusionSign[], earliest: string | null): string {
  if (signs.length === 0) return 'no sign of an intruder: nothing beyond the baseline';
  const since = earliest === null ? 'none of them can be dated' : `the earliest at ${earliest}`;
  return `${formatCount(signs.length)} signs, ${since}: ${listed(signs)}`;
}

function listed(signs: readonly IntrusionSign[]): string {
  const more = signs.length - MOST_TOLD;
  const told = signs.slice(0, MOST_TOLD).map(({ what }) => what);
  return `${told.join('; ')}${more > 0 ? `; and ${formatCount(more)} more` : ''}`;
}
