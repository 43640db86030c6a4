import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { PermanentError } from '../../src/errors.js';

/** A backend in the middle of a system call ends late; longer than this is not normal. */
const GONE_MS = 30_000;
const POLL_MS = 50;

/** Clients, standbys that stream, and whatever extension works inside the fenced database. */
const OTHERS = `pid <> pg_backend_pid()
  and (backend_type in ('client backend', 'walsender')
    or (datname = $1 and backend_type <> 'autovacuum worker'))`;

/** What an attempt of Muster's has open while it fences or lifts a fence. */
const ATTEMPTS = `pid <> pg_backend_pid() and application_name = any($1) and usesysid = session_user::regrole`;

/** How the connections of a fence call themselves. */
export const FENCE_CONNECTIONS = { changes: 'muster fence', census: 'muster census' } as const;

/**
 * Ends every session but the caller's own and waits until they are gone.
 *
 * @returns how many there were
 * @throws PermanentError `SessionsRemain`
 */
export function endSessions(admin: Client, database: string, signal: AbortSignal): Promise<number> {
  return end(admin, OTHERS, database, signal);
}

/**
 * Ends what attempts that began earlier still have under way: their worker may be frozen, and must not go on when it wakes.
 *
 * @throws PermanentError `SessionsRemain`
 */
export async function endEarlierAttempts(admin: Client, signal: AbortSignal): Promise<void> {
  await end(admin, ATTEMPTS, Object.values(FENCE_CONNECTIONS), signal);
}

async function end(admin: Client, which: string, parameter: unknown, signal: AbortSignal): Promise<number> {
  const ended = new Set<number>();
  const deadline = performance.now() + GONE_MS;
  for (;;) {
    const { rows } = await admin.query<{ pid: number; who: string }>(
      `select pid, coalesce(usename, backend_type) || ' from ' || coalesce(host(client_addr), 'the machine itself') as who,
              pg_terminate_backend(pid) as signalled
         from pg_stat_activity where ${which}`,
      [parameter],
    );
    for (const { pid } of rows) ended.add(pid);
    if (rows.length === 0) return ended.size;
    if (performance.now() > deadline) {
      throw new PermanentError(
        'SessionsRemain',
        `${rows.length} sessions do not end on the primary: ${rows
          .slice(0, 5)
          .map(({ pid, who }) => `${pid} (${who})`)
          .join(', ')}.`,
        {
          why: 'They can still write. Nobody new can log in.',
          next: 'End these processes on the database host, then retry the step.',
        },
      );
    }
    await delay(POLL_MS, undefined, { signal });
  }
}
