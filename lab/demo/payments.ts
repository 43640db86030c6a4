import pg from 'pg';
import { resolveSecret } from '../../src/secrets.js';
import { withClient } from '../parts/postgres.js';
import type { LabState } from '../state.js';
import { waitFor } from '../wait.js';

/** Waits until the paying client has had this many more payments acknowledged. */
export async function waitForPayments(state: LabState, more: number): Promise<void> {
  const from = await acknowledged(state);
  await waitFor({ what: `${more} payments`, deadlineMs: 60_000, pollMs: 100 }, async () => {
    const now = await acknowledged(state);
    if (now < from + more) throw new Error(`${now - from} were acknowledged`);
  });
}

async function acknowledged(state: LabState): Promise<number> {
  const answer = await fetch(new URL('/stats', state.payymo.clientUrl), {
    signal: AbortSignal.timeout(5_000),
  });
  return ((await answer.json()) as { acknowledged: number }).acknowledged;
}

/** Waits until everything that the ledger's primary has written so far is in the archive. */
export async function archiveAll({ ledger }: LabState): Promise<void> {
  const { admin, database, sites } = ledger;
  const { address: host, port } = sites.west;
  const login = { host, port, database, user: admin.user, password: await resolveSecret(admin.password) };
  await withClient(new pg.Client(login), async (primary) => {
    const { rows } = await primary.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name');
    const wanted = rows[0]?.name ?? '';
    await waitFor({ what: `segment ${wanted} in the archive`, deadlineMs: 60_000, pollMs: 100 }, async () => {
      const { rows: done } = await primary.query<{ name: string | null }>(
        'select last_archived_wal as name from pg_stat_archiver',
      );
      if ((done[0]?.name ?? '') < wanted) throw new Error(`${done[0]?.name ?? 'nothing'} is`);
    });
  });
}
