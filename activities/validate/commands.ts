import type { PrintedCommand } from '../../src/model/plan.js';
import type { Application } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

/** Trying the service by hand after the cutover. */
export function validateCommands({
  application,
  target,
  damaged,
}: {
  readonly application: Application;
  readonly target: DatabaseAt;
  readonly damaged: DatabaseAt;
}): readonly PrintedCommand[] {
  const { host, port, database, admin } = target.postgres;
  const old = damaged.postgres;
  return [
    {
      where: 'anywhere that reaches the old primary',
      command: `psql -h ${old.host} -p ${old.port} -U ${old.application.user} -d ${old.database} -c "CREATE TEMPORARY TABLE muster_proof (x integer)"`,
      note: 'Must be refused.',
    },
    {
      where: 'anywhere that reaches the new primary',
      command: `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "SELECT pg_is_in_recovery()"`,
      note: 'Must answer f.',
    },
    {
      where: 'anywhere',
      command: `curl -fsS ${application.url}${application.healthPath}`,
      note: `Must tell ${host} where it tells the address of the database.`,
    },
    ...application.functions.flatMap(({ exchanges }) =>
      exchanges.map(({ title, method, path, body, expectStatus }) => ({
        where: 'anywhere',
        command: `curl -sS -i -X ${method} '${application.url}${path}'${body === undefined ? '' : ` -H 'content-type: application/json' -d '${JSON.stringify(body)}'`}`,
        note: `${title}: must answer ${expectStatus}. {{uuid}} stands for one new UUID.`,
      })),
    ),
  ];
}
