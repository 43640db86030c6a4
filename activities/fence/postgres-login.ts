/**
 * Fences a PostgreSQL primary by its logins. Order matters: first nobody new gets in, then those inside leave, then what was
 * written is counted while nobody writes, then even superusers are shut out, and last a write is tried.
 * (PostgreSQL manual: ALTER ROLE, ALTER DATABASE, 28.2.4 signalling functions.)
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { PermanentError, TransientError } from '../../src/errors.js';
import { takeCensus } from './census.js';
import { proveDown } from './down.js';
import type { FenceDriver, FenceOrder } from './driver.js';
import { asAdministrator } from './maintenance.js';
import { answerOf, proveRefusal } from './proof.js';
import { allowConnections, letRolesIn, rolesThatMayLogIn, shutRolesOut } from './roles.js';
import { endEarlierAttempts, endSessions } from './sessions.js';

const BETWEEN_MS = 1_000;

export const postgresLogin: FenceDriver = {
  async fence(order) {
    const { database, admin, application } = order.damaged.postgres;
    if (admin.user === application.user) {
      throw new PermanentError(
        'FenceImpossible',
        `The application at ${order.damaged.site} logs in as ${admin.user}, like Muster: shutting it out would shut Muster out.`,
        { next: 'Give Muster a login of its own in the runbook, then retry the step.' },
      );
    }
    const reached = await reach(order, async (client) => {
      // In this order: whoever takes the charge away ends this connection next, so nothing of this comes after.
      await order.requireInCharge();
      await endEarlierAttempts(client, order.signal);
      await requireServer(client, order);
      const terminatedSessions = await emptyServer(client, order);
      // A census of an attempt that died may have left it closed; nobody but Muster can log in any more.
      await allowConnections(client, database, true);
      const counted = await takeCensus(order.damaged, order.dataClasses, order.since);
      await allowConnections(client, database, false);
      const late = await endSessions(client, database, order.signal);
      await client.query('select pg_switch_wal()');
      return { ...counted, terminatedSessions: terminatedSessions + late };
    });
    if ('down' in reached) {
      const refusedWrite = { at: new Date().toISOString(), as: application.user, answer: reached.down };
      return { refusedWrite, terminatedSessions: 0, lastWriteAt: null, census: {} };
    }
    return { ...reached.done, refusedWrite: await proveRefusal(order.damaged) };
  },

  async lift({ runId, damaged, signal }) {
    const { database } = damaged.postgres;
    const roles = await asAdministrator(damaged, async (client) => {
      await endEarlierAttempts(client, signal);
      return letRolesIn(client, { runId, database });
    });
    return roles !== undefined;
  },
};

/** Tries as often as it was told, then accepts that the primary is gone only with proof. */
async function reach<T>(
  order: FenceOrder,
  work: (client: Client) => Promise<T>,
): Promise<{ readonly done: T } | { readonly down: string }> {
  for (let tried = 1; ; tried++) {
    try {
      return { done: await asAdministrator(order.damaged, work) };
    } catch (error) {
      if (!(error instanceof TransientError) || error.code !== 'DatabaseUnreachable') throw error;
      requireAdmitted(order, error);
      if (tried >= order.attempts) return { down: await proveDown(order, error) };
    }
    await delay(BETWEEN_MS, undefined, { signal: order.signal });
  }
}

function requireAdmitted(order: FenceOrder, error: TransientError): void {
  const { code, text } = answerOf(error);
  if (code?.startsWith('28') !== true) return;
  throw new PermanentError(
    'AdminRefused',
    `The primary at ${order.damaged.site} does not let Muster in: ${code} ${text}.`,
    {
      next: `Correct the login in the runbook (sites.${order.damaged.site}.postgres.admin) or give it back its rights, then retry the step.`,
      cause: error,
    },
  );
}

/** Nothing is touched on a server that is not the one the recovery point was made for. */
async function requireServer(client: Client, order: FenceOrder): Promise<void> {
  const { rows } = await client.query<{ system: string; recovering: boolean; timeline: number | null }>(
    `select (select system_identifier::text from pg_control_system()) as system, pg_is_in_recovery() as recovering,
            case when pg_is_in_recovery() then null
                 else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline`,
  );
  const [server] = rows;
  if (server?.system === order.systemIdentifier && server.timeline === order.timeline) return;
  const { host, port } = order.damaged.postgres;
  const found =
    server?.recovering === true
      ? 'a standby'
      : `system ${server?.system ?? 'unknown'} on timeline ${server?.timeline ?? 'unknown'}`;
  throw new PermanentError(
    'WrongServer',
    `At ${host}:${port} is ${found}, not the primary of system ${order.systemIdentifier} on timeline ${order.timeline}.`,
    {
      why: 'It is not the server that was assessed; nothing was changed on it.',
      next: 'Find out what answers at that address and correct the runbook, or propose the point again.',
    },
  );
}

/** Shuts everybody else out and waits until nobody is left. A role made in the meantime is caught by looking again. */
async function emptyServer(client: Client, order: FenceOrder): Promise<number> {
  let ended = 0;
  for (let round = 0; round < 5; round++) {
    await shutRolesOut(client, { runId: order.runId, token: order.token });
    ended += await endSessions(client, order.damaged.postgres.database, order.signal);
    if ((await rolesThatMayLogIn(client)).length === 0) return ended;
  }
  throw new PermanentError(
    'RolesRemain',
    `Something on ${order.damaged.site} keeps making roles that may log in: ${(await rolesThatMayLogIn(client)).join(', ')}.`,
    { next: 'Stop what makes them, then retry the step.' },
  );
}
