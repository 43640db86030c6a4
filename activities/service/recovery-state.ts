import { withClient } from '../../src/postgres.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import { serviceOf } from './index.js';

/** A site's connection as its administrator. */
export function adminOf(postgres: PostgresSite) {
  const { host, port, database, admin } = postgres;
  return { host, port, database, user: admin.user, password: admin.password };
}

/**
 * Whether a restored copy has been promoted: it runs outside of recovery, or was shut down outside of it, or stands on a
 * later timeline. A copy that was never started is not: its control file still says what the backup's did.
 *
 * @param timeline the one that the copy was restored along
 */
export async function hasLeftRecovery(postgres: PostgresSite, timeline: number): Promise<boolean> {
  const service = serviceOf(postgres);
  if ((await service.pid()) !== undefined) {
    const inRecovery = await withClient(
      adminOf(postgres),
      { statementTimeoutMs: 5_000, applicationName: 'muster-recovery-state' },
      async (client) =>
        (await client.query<{ yes: boolean }>('select pg_is_in_recovery() as yes')).rows[0]?.yes,
    ).catch(() => undefined);
    // A server that takes no connections yet is still on its way to the point.
    if (inRecovery !== undefined) return !inRecovery;
  }
  const control = await service.control().catch(() => undefined);
  return control !== undefined && (control.state === 'shut down' || control.timeline > timeline);
}
