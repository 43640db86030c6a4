/** A standby that was built for the way home is taken away again: only what this run made. */
import { setTimeout as wait } from 'node:timers/promises';
import { activitySignal } from '../context.js';
import type { DatabaseAt, FailbackActivities, Summarised } from '../contract.js';
import { provisionActivities } from '../provision/index.js';
import { readLease } from '../provision/lease.js';
import { onStandby } from '../standby/state.js';

const POLL_MS = 100;
const GONE_MS = 15_000;

export async function removeReseeded({
  at,
  primary,
  home,
  slot,
  vault,
}: Parameters<FailbackActivities['removeReseeded']>[0]): Promise<Summarised> {
  const own = (await readLease(home.postgres.service.dataDirectory))?.runId === at.runId;
  const { summary } = await provisionActivities().destroyTarget({ at, target: home, vault });
  if (!own) return { summary };
  // A slot that nobody takes from would keep WAL until the disk is full.
  await dropSlot(primary, slot);
  return { summary: `${summary}; the slot ${slot} at ${primary.site} is gone` };
}

/** Drops a slot that nobody uses any more; does nothing where there is none. */
export async function dropSlot(site: DatabaseAt, slot: string): Promise<void> {
  const signal = activitySignal();
  await onStandby(site, async (client) => {
    const begun = performance.now();
    for (;;) {
      const { rows } = await client.query<{ active: boolean }>(
        'select active from pg_replication_slots where slot_name = $1',
        [slot],
      );
      if (rows.length === 0) return;
      // Whoever used it is being waited for; one that stays in use makes the drop fail, and say so.
      if (rows[0]?.active === false || performance.now() - begun > GONE_MS) {
        await client.query('select pg_drop_replication_slot($1)', [slot]);
        return;
      }
      await wait(POLL_MS, undefined, { signal });
    }
  });
}
