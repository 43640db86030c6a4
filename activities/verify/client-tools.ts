import { type RunOptions, type RunOutcome, runTool } from '../../src/process.js';
import { resolveSecret } from '../../src/secrets.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt } from '../contract.js';
import { programOf } from '../service/index.js';

/**
 * Runs one of PostgreSQL's client programs against a site as its administrator. Where to connect and the password go
 * through the environment (manual: 34.15), never through argv, and leave no file behind when the worker is killed.
 */
export async function runClientTool(
  target: DatabaseAt,
  program: string,
  args: readonly string[],
  options: Pick<RunOptions, 'timeoutMs' | 'onLine' | 'onErrorLine'>,
): Promise<RunOutcome> {
  const { host, port, database, admin, service } = target.postgres;
  return runTool(await programOf(target.postgres, program), args, {
    account: service.account,
    env: {
      LC_ALL: 'C.UTF-8',
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database,
      PGUSER: admin.user,
      PGPASSWORD: await resolveSecret(admin.password),
      PGCONNECT_TIMEOUT: '10',
      PGAPPNAME: 'muster-verify',
      // A check must not end because production limits what one statement may take.
      PGOPTIONS: '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c lock_timeout=60s',
    },
    signal: activitySignal(),
    ...options,
  });
}
