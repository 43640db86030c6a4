/** The way in to the new primary is opened, once nobody comes in with anything old. */
import { PermanentError, TransientError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt, MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { writeOpenSettings } from '../restore/settings.js';
import { adminOf, serviceOf } from '../service/index.js';
import { requireRefused } from './prove.js';

/** Methods of pg_hba.conf that ask for a proof (PostgreSQL manual: 21.1). */
const PROVING = ['scram-sha-256', 'md5', 'cert', 'gss', 'sspi', 'ldap', 'radius', 'pam', 'reject'];

export const openPrimary: MusterActivities['openPrimary'] = async ({ at, sealed, target, renewals }) => {
  requireReal(at, `open ${target.site}`);
  const { postgres, site } = target;
  const { host, port } = postgres;
  if (!(await listens(target))) {
    const service = serviceOf(postgres);
    if ((await service.pid()) !== undefined) await requirePromoted(sealed);
    await writeOpenSettings(target);
    await service.stop('fast');
    await service.start('ready');
  }
  await requireProvingRules(target);
  for (const { user, oldPassword } of renewals) {
    const login = { host, port, database: postgres.database, user, password: oldPassword };
    await requireRefused(login, `${user} at ${host}:${port}`);
  }
  return {
    address: `${host}:${port}`,
    summary: `${site} listens at ${host}:${port}; every old password is refused there`,
  };
};

/** Whether an earlier attempt has opened it. */
async function listens({ postgres }: DatabaseAt): Promise<boolean> {
  try {
    await withClient(
      adminOf(postgres),
      { statementTimeoutMs: 5_000, connectTimeoutMs: 2_000, applicationName: 'muster open' },
      (client) => client.query('select 1'),
    );
    return true;
  } catch (error) {
    if (error instanceof TransientError) return false;
    throw error;
  }
}

/** @throws PermanentError `NotPromoted` */
async function requirePromoted({ site, postgres }: DatabaseAt): Promise<void> {
  const recovering = await withClient(
    adminOf(postgres),
    { statementTimeoutMs: 5_000, applicationName: 'muster open' },
    async (client) =>
      (await client.query<{ yes: boolean }>('select pg_is_in_recovery() as yes')).rows[0]?.yes,
  ).catch((error: unknown) => {
    // Stopped, or opened and refusing: the control file was checked by the promotion.
    if (error instanceof TransientError) return false;
    throw error;
  });
  if (recovering !== true) return;
  throw new PermanentError('NotPromoted', `The copy at ${site} is in recovery: it has not been promoted.`, {
    next: 'Find out who restored it anew; it is not opened.',
  });
}

/** What the backup brought along decides who comes in: nobody over the network without a proof. @throws `AccessOpen` */
async function requireProvingRules({ site, postgres }: DatabaseAt): Promise<void> {
  const { rows } = await withClient(
    adminOf(postgres),
    { statementTimeoutMs: 5_000, applicationName: 'muster open' },
    (client) =>
      client.query<{ line: number; method: string }>(
        "select line_number as line, coalesce(auth_method, 'unreadable') as method from pg_hba_file_rules where type <> 'local' or error is not null order by 1",
      ),
  );
  const open = rows.filter(({ method }) => !PROVING.includes(method));
  if (open.length === 0) return;
  throw new PermanentError(
    'AccessOpen',
    `pg_hba.conf of ${site} lets in over the network by ${open.map(({ line, method }) => `${method} (line ${line})`).join(', ')}.`,
    {
      why: 'It came with the backup, or somebody changed it since.',
      next: 'Correct the file (scram-sha-256), then retry the step.',
    },
  );
}
