import type { PrintedCommand } from '../../src/model/plan.js';
import type { Invariant } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

/** Measuring the damage by hand. */
export function assessCommands({
  damaged,
  invariants,
}: {
  readonly damaged: DatabaseAt;
  readonly invariants: readonly Invariant[];
}): readonly PrintedCommand[] {
  const { host, port, database, admin } = damaged.postgres;
  const psql = `PGOPTIONS='-c default_transaction_read_only=on' psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -At`;
  const where = 'anywhere that reaches the damaged primary';
  return [
    {
      where,
      command: `${psql} -c "SELECT version(), (pg_control_system()).system_identifier, pg_is_in_recovery(), pg_walfile_name(pg_current_wal_lsn())"`,
      note: 'Write the system identifier down; the first 8 digits of the file are the timeline, in hexadecimal.',
    },
    {
      where,
      command: `${psql} -c "SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D'"`,
      note: 'Lists triggers that are switched off.',
    },
    ...invariants.map(({ title, sql, parameters }) => ({
      where,
      command: `${psql} <<'SQL'\nSELECT count(*) FROM (\n${sql.trim().replace(/;$/, '')}\n) AS broken;\nSQL`,
      note: `${title}. 0: it holds.${parameters.map((reference, index) => ` Put what ${reference} holds, quoted, for $${index + 1}.`).join('')}`,
    })),
  ];
}

/** Seeing by hand whether a primary is gone. */
export function lostCommands({ damaged }: { readonly damaged: DatabaseAt }): readonly PrintedCommand[] {
  const { host, port, database, admin } = damaged.postgres;
  return [
    {
      where: 'where applications are, and anywhere else',
      command: `PGCONNECT_TIMEOUT=3 psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "SELECT pg_is_in_recovery()"`,
      note: 'f: it is there and takes writes; bring the way to it back rather than giving it up. No answer proves nothing by itself.',
    },
  ];
}
