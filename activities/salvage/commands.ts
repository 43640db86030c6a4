import type { PrintedCommand } from '../../src/model/plan.js';
import { byDriver, type OfArchive, type OfPgbackrest } from '../../src/runbook/backups.js';
import type { Application, Backup, SalvageTable } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import type { Quarantined } from './contract.js';

interface ForFinding {
  readonly sites: readonly DatabaseAt[];
  readonly backup: Backup;
  readonly quarantined: Quarantined | null;
  readonly tables: readonly SalvageTable[];
}

/** Looking by hand at what the replaced primary had written. */
export const findSalvageCommands: (given: ForFinding) => readonly PrintedCommand[] = byDriver({
  pgbackrest: lookInLog,
  archive: lookInQuarantine,
});

function lookInLog({ sites, backup, tables }: OfPgbackrest<ForFinding>): readonly PrintedCommand[] {
  return sites.flatMap((site): PrintedCommand[] => [
    {
      where: whereAt(site),
      command: `pgbackrest --config=${site.postgres.backupConfig} --stanza=${backup.stanza} --pg1-path=${besideOf(site)} --type=standby --target-timeline=<timeline before the promotion> --archive-mode=off restore`,
      note: 'Then set listen_addresses to nothing and a socket directory of its own in its postgresql.auto.conf, and start it: in recovery it is read-only.',
    },
    ...asking(site, tables),
  ]);
}

function lookInQuarantine({ sites, quarantined, tables }: OfArchive<ForFinding>): readonly PrintedCommand[] {
  return sites.flatMap((site): PrintedCommand[] => [
    {
      where: whereAt(site),
      command: `cp -a --reflink=auto ${quarantined?.directory ?? '<quarantine>'}/<run>/data/. ${besideOf(site)} && chmod 700 ${besideOf(site)}`,
      note: 'Then set listen_addresses to nothing, a socket directory of its own and default_transaction_read_only = on in the postgresql.auto.conf of the copy, and start it. The fence has closed the database: alter database ... allow_connections true, in the copy alone.',
    },
    ...asking(site, tables),
  ]);
}

function whereAt({ site, postgres: { host, service } }: DatabaseAt): string {
  return `on ${host}, as ${service.account}, if the new primary is at ${site}`;
}

function besideOf({ postgres }: DatabaseAt): string {
  return `${postgres.service.dataDirectory}.salvage`;
}

function asking(site: DatabaseAt, tables: readonly SalvageTable[]): readonly PrintedCommand[] {
  const { admin, database } = site.postgres;
  return tables.map(({ table, sql }) => ({
    where: whereAt(site),
    command: `psql -h <socket directory> -U ${admin.user} -d ${database} -c "<query>"`,
    note: `${table}: ${sql.split('\n')[0] ?? ''} ... (scenarios.salvage.tables); $1 is the recovery point.`,
  }));
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
