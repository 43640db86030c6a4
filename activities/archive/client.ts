import { type RunOptions, type RunOutcome, runTool } from '../../src/process.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import { programOf } from '../service/index.js';

/** A dump or a restore of a large database. */
export const LONGEST_MS = 24 * 3_600_000;

export type ClientOptions = Pick<RunOptions, 'onErrorLine' | 'consume' | 'input' | 'signal'> & {
  readonly database: string;
};

/**
 * Runs one of PostgreSQL's client programs against a site as its administrator, in English. Where to connect and the
 * password go through the environment (manual: 34.15), never through argv.
 */
export async function runClient(
  postgres: PostgresSite,
  program: string,
  args: readonly string[],
  { database, ...options }: ClientOptions,
): Promise<RunOutcome> {
  const { host, port, admin, service } = postgres;
  return runTool(await programOf(postgres, program), args, {
    account: service.account,
    env: {
      LC_ALL: 'C.UTF-8',
      LC_MESSAGES: 'C',
      LANGUAGE: 'C',
      PGHOST: host,
      PGPORT: String(port),
      PGDATABASE: database,
      PGUSER: admin.user,
      PGPASSWORD: await resolveSecret(admin.password),
      PGCONNECT_TIMEOUT: '10',
      PGAPPNAME: 'muster-archive',
      // Neither must end because production limits what one statement may take.
      PGOPTIONS: '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0',
    },
    timeoutMs: LONGEST_MS,
    ...options,
  });
}

/** What a client program said went wrong, on one line. */
export function wordsOf({ stderr, exitCode }: RunOutcome, program: string): string {
  const telling = stderr.split('\n').filter((line) => /error|detail|fatal|hint/i.test(line));
  return telling.slice(0, 4).join(' ') || `${program} ended with ${exitCode}`;
}
