import type { PrintedCommand } from '../../src/model/plan.js';
import type { DnsRecord } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

const onHost = (site: string) => `on the database host of ${site}`;
const reaching = (site: string) => `anywhere that reaches ${site}`;

function psql({ postgres }: DatabaseAt, statement: string): string {
  const { host, port, database, admin } = postgres;
  return `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -c "${statement}"`;
}

/** Seeing by hand where the system runs. */
export function findCommands({
  from,
  home,
  record,
}: {
  readonly from: DatabaseAt;
  readonly home: DatabaseAt;
  readonly record: DnsRecord;
}): readonly PrintedCommand[] {
  const resolver = record.resolvers[0] ?? '';
  const [host = '', port = '53'] = resolver.split(':');
  return [
    {
      where: 'anywhere that asks the resolvers',
      command: `dig +short @${host} -p ${port} ${record.name} ${record.type}`,
      note: `Must answer ${(record.values[from.site] ?? []).join(', ')}: the system runs at ${from.site}.`,
    },
    {
      where: reaching(from.site),
      command: psql(from, 'SELECT pg_is_in_recovery(), pg_walfile_name(pg_current_wal_lsn())'),
      note: 'Must begin with f. The first 8 digits are the timeline.',
    },
    {
      where: onHost(home.site),
      command: `ls -A ${home.postgres.service.dataDirectory}`,
      note: 'Must be empty or not there. What lies there is moved away, never deleted.',
    },
  ];
}

/** Holding a standby still and letting it go by hand. */
export function holdCommands(standby: DatabaseAt, act: 'pause' | 'resume'): readonly PrintedCommand[] {
  return [
    {
      where: reaching(standby.site),
      command: psql(standby, `SELECT pg_wal_replay_${act}()`),
    },
    {
      where: reaching(standby.site),
      command: psql(
        standby,
        'SELECT pg_get_wal_replay_pause_state(), pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()',
      ),
      note: act === 'pause' ? 'Must begin with paused.' : 'Repeat until both positions are close.',
    },
  ];
}

/** The clean shutdown by hand, and the comparison without which nothing is promoted. */
export function stopCommands({
  primary,
  standby,
}: {
  readonly primary: DatabaseAt;
  readonly standby: DatabaseAt;
}): readonly PrintedCommand[] {
  const { account, dataDirectory, logFile } = primary.postgres.service;
  const where = onHost(primary.site);
  return [
    { where: reaching(primary.site), command: psql(primary, 'CHECKPOINT'), note: 'Users still work.' },
    { where, command: `sudo -u ${account} pg_ctl stop -D ${dataDirectory} -m fast -w` },
    {
      where,
      command: `sudo -u ${account} touch ${dataDirectory}/standby.signal`,
      note: 'Whoever starts it gets a standby.',
    },
    {
      where,
      command: `sudo -u ${account} pg_controldata -D ${dataDirectory} | grep -E 'cluster state|checkpoint location|TimeLineID'`,
      note: 'Must say "shut down". Write the location down.',
    },
    {
      where,
      command: `sudo -u ${account} pg_waldump -p ${dataDirectory}/pg_wal -t <timeline> -s <location>`,
      note: 'Must show one record, CHECKPOINT_SHUTDOWN; the position in the error after it is the end.',
    },
    {
      where: reaching(standby.site),
      command: psql(standby, 'SELECT pg_last_wal_replay_lsn()'),
      note: `Must be that end exactly. Anything else: rm ${dataDirectory}/standby.signal, then sudo -u ${account} pg_ctl start -D ${dataDirectory} -l ${logFile} -w. Promote nothing.`,
    },
  ];
}

/** Stopping all writes by hand, so that a dump is the last state. */
export function closeCommands({ primary }: { readonly primary: DatabaseAt }): readonly PrintedCommand[] {
  const { account, dataDirectory, logFile } = primary.postgres.service;
  const where = onHost(primary.site);
  return [
    { where: reaching(primary.site), command: psql(primary, 'CHECKPOINT'), note: 'Users still work.' },
    { where, command: `sudo -u ${account} pg_ctl stop -D ${dataDirectory} -m fast -w` },
    { where, command: `sudo -u ${account} touch ${dataDirectory}/standby.signal` },
    { where, command: `sudo -u ${account} pg_ctl start -D ${dataDirectory} -l ${logFile} -w` },
    {
      where: reaching(primary.site),
      command: psql(primary, 'SELECT pg_is_in_recovery()'),
      note: `Must answer t: it takes no writes from anybody. To take this back: stop it, rm ${dataDirectory}/standby.signal, start it.`,
    },
  ];
}

/** What recoveries leave beside the clusters. */
export function releaseCommands({
  left,
  home,
}: {
  readonly left: DatabaseAt;
  readonly home: DatabaseAt;
}): readonly PrintedCommand[] {
  return [left, home].map(({ site, postgres }) => ({
    where: onHost(site),
    command: `rm -f ${postgres.service.dataDirectory}.lease.json ${postgres.service.dataDirectory}.switchover.json`,
  }));
}

/** The left primary becomes a standby by hand. */
export function followCommands({
  left,
  primary,
  slot,
}: {
  readonly left: DatabaseAt;
  readonly primary: DatabaseAt;
  readonly slot: string;
}): readonly PrintedCommand[] {
  const { host, port, replication, admin } = primary.postgres;
  const { account, dataDirectory, logFile } = left.postgres.service;
  const where = onHost(left.site);
  return [
    {
      where: reaching(primary.site),
      command: psql(primary, `SELECT pg_create_physical_replication_slot('${slot}', true)`),
    },
    {
      where,
      command: `cat >> ${dataDirectory}/postgresql.auto.conf <<'CONF'\nprimary_conninfo = 'host=${host} port=${port} user=${replication?.user ?? admin.user} password=<password>'\nprimary_slot_name = '${slot}'\nrecovery_target_time = ''\nrecovery_target_lsn = ''\nrecovery_target_timeline = 'latest'\nCONF`,
      note: `${dataDirectory}/standby.signal must be there.`,
    },
    { where, command: `sudo -u ${account} pg_ctl start -D ${dataDirectory} -l ${logFile} -w` },
    {
      where: reaching(left.site),
      command: psql(left, `SELECT pg_drop_replication_slot('${slot}')`),
      note: 'The slot of before: nobody takes from it any more.',
    },
  ];
}
