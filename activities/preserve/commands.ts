import type { PrintedCommand } from '../../src/model/plan.js';
import type { DatabaseAt } from '../contract.js';

/** Setting the damaged cluster aside by hand. */
export function preserveCommands({
  damaged,
  quarantineDirectory,
}: {
  readonly damaged: DatabaseAt;
  readonly quarantineDirectory: string;
}): readonly PrintedCommand[] {
  const { account, dataDirectory } = damaged.postgres.service;
  const where = `on ${damaged.postgres.host}, as ${account}`;
  const kept = `${quarantineDirectory}/<run>/data`;
  return [
    {
      where,
      command: `pg_controldata -D ${dataDirectory} | grep 'system identifier'`,
      note: 'Must be the system identifier that was assessed.',
    },
    { where, command: `pg_ctl stop -D ${dataDirectory} -m fast -w` },
    {
      where,
      command: `mkdir -m 0700 -p ${quarantineDirectory}/<run> && mv -T ${dataDirectory} ${kept} && chmod 0500 ${kept}`,
      note: 'Delete nothing. With these permissions the server refuses to start.',
    },
    {
      where: `${where}, only if the recovery is called off and nothing was promoted`,
      command: `chmod 0700 ${kept} && mv -T ${kept} ${dataDirectory} && pg_ctl start -D ${dataDirectory} -w`,
      note: 'Undoes it.',
    },
  ];
}
