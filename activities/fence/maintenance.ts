/** The administrator's own connection, to a database that stays open while the fenced one is closed. */
import type { Client } from 'pg';
import { PermanentError } from '../../src/errors.js';
import { type Login, withClient } from '../../src/postgres.js';
import type { DatabaseAt } from '../contract.js';
import { FENCE_CONNECTIONS } from './sessions.js';

const STATEMENT_MS = 60_000;

/** How Muster gets in: never through the database that it closes. */
export function maintenanceLogin({ postgres }: DatabaseAt): Login {
  const { host, port, database, admin } = postgres;
  return { host, port, database: database === 'postgres' ? 'template1' : 'postgres', ...admin };
}

export function databaseLogin({ postgres }: DatabaseAt): Login {
  const { host, port, database, admin } = postgres;
  return { host, port, database, ...admin };
}

/**
 * Opens the administrator's connection for changes. They do not wait for standbys, which a disaster may have taken along.
 *
 * @throws TransientError `DatabaseUnreachable`; PermanentError `AdminTooWeak` when the login is no superuser
 */
export async function asAdministrator<T>(
  damaged: DatabaseAt,
  work: (admin: Client) => Promise<T>,
): Promise<T> {
  return withClient(
    maintenanceLogin(damaged),
    { statementTimeoutMs: STATEMENT_MS, applicationName: FENCE_CONNECTIONS.changes },
    async (admin) => {
      await admin.query(
        'set synchronous_commit = local; set default_transaction_read_only = off; set lock_timeout = 15000',
      );
      const { rows } = await admin.query("select current_setting('is_superuser') as superuser");
      if (rows[0]?.superuser !== 'on') {
        throw new PermanentError(
          'AdminTooWeak',
          `${damaged.postgres.admin.user} is no superuser of the database at ${damaged.site}: it cannot shut out those who are.`,
          {
            next: `Name a superuser in the runbook (sites.${damaged.site}.postgres.admin), then retry the step.`,
          },
        );
      }
      return work(admin);
    },
  );
}
