import type { PrintedCommand } from '../../src/model/plan.js';
import type { DatabaseAt } from '../contract.js';

/** How a target is prepared by hand. */
export function provisionCommands({ target }: { target: DatabaseAt }): readonly PrintedCommand[] {
  const { host, port, service } = target.postgres;
  const parent = service.dataDirectory.replace(/\/[^/]*$/, '') || '/';
  return [
    {
      where: `on ${host}, as root`,
      command: `ls -lA ${service.dataDirectory} ${service.dataDirectory}.lease.json`,
      note: 'Must be missing or empty. If it holds anything, stop: it may be the last copy of something.',
    },
    {
      where: `on ${host}, as root`,
      command: `df -h ${parent}`,
      note: 'Free: at least 1.2 times the size of the database, and 16 MiB for each WAL segment up to the point.',
    },
    {
      where: `on ${host}, as root`,
      command: `ss -Hltn 'sport = :${port}'`,
      note: 'Must print nothing: the port is free.',
    },
    {
      where: `on ${host}, as root`,
      command: `install -d -m 0700 -o ${service.account} ${service.dataDirectory}`,
    },
  ];
}

/** How a target is removed by hand, as long as it has not been promoted. */
export function destroyCommands({ target }: { target: DatabaseAt }): readonly PrintedCommand[] {
  const { host, service } = target.postgres;
  const bin = service.binDirectory === undefined ? '' : `${service.binDirectory}/`;
  return [
    {
      where: `on ${host}, as ${service.account}`,
      command: `${bin}pg_ctl stop -D ${service.dataDirectory} -m fast`,
      note: 'Only if this copy was never promoted.',
    },
    {
      where: `on ${host}, as root`,
      command: `rm -r ${service.dataDirectory} ${service.dataDirectory}.tablespaces ${service.dataDirectory}.spool ${service.dataDirectory}.lease.json`,
      note: 'Only the directory that this recovery made; compare the lease first.',
    },
  ];
}
