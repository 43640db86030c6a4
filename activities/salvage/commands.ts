import type { PrintedCommand } from '../../src/model/plan.js';
import type { Application, PgbackrestBackup, SalvageTable } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

/** Looking by hand at what the replaced primary had written. */
export function findSalvageCommands({
  sites,
  backup,
  tables,
}: {
  readonly sites: readonly DatabaseAt[];
  readonly backup: PgbackrestBackup;
  readonly tables: readonly SalvageTable[];
}): readonly PrintedCommand[] {
  return sites.flatMap(({ site, postgres }): PrintedCommand[] => {
    const { service, backupConfig, admin, database } = postgres;
    const where = `on ${postgres.host}, as ${service.account}, if the new primary is at ${site}`;
    const directory = `${service.dataDirectory}.salvage`;
    return [
      {
        where,
        command: `pgbackrest --config=${backupConfig} --stanza=${backup.stanza} --pg1-path=${directory} --type=standby --target-timeline=<timeline before the promotion> --archive-mode=off restore`,
        note: 'Then set listen_addresses to nothing and a socket directory of its own in its postgresql.auto.conf, and start it: in recovery it is read-only.',
      },
      ...tables.map(({ table, sql }) => ({
        where,
        command: `psql -h <socket directory> -U ${admin.user} -d ${database} -c "<query>"`,
        note: `${table}: ${sql.split('\n')[0] ?? ''} ... (scenarios.salvage.tables); $1 is the recovery point.`,
      })),
    ];
  });
}

/** Entering rows by hand. */
export function carryOverCommands({
  application,
  tables,
}: {
  readonly application: Application;
  readonly tables: readonly SalvageTable[];
}): readonly PrintedCommand[] {
  return tables.map(({ table, enter }) => ({
    where: 'anywhere that reaches the application',
    command: `curl -X ${enter.method} -H 'content-type: application/json' --data '<row>' ${application.url}${enter.path}`,
    note: `${table}: once for each row of the list that is sound, in its order; ${enter.expectStatus.join(' or ')} means that it is in.`,
  }));
}
