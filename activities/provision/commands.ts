import type { PrintedCommand } from '../../src/model/plan.js';
import type { Infrastructure } from '../../src/runbook/schema.js';
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

/** How infrastructure is made by hand. */
export function infrastructureCommands({
  infrastructure,
}: {
  readonly infrastructure: Infrastructure;
}): readonly PrintedCommand[] {
  if (infrastructure.driver === 'command') {
    const { command, check, directory } = infrastructure;
    const where = `where the worker runs, in ${directory}`;
    return [
      ...(check === undefined ? [] : [{ where, command: check.join(' '), note: 'Changes nothing.' }]),
      {
        where,
        command: command.join(' '),
        note: `With the environment of infrastructure, ${infrastructure.title}.`,
      },
    ];
  }
  const { program, directory, variables, secretVariables } = infrastructure;
  const where = `where the worker runs, in ${directory}`;
  const secrets = Object.entries(secretVariables).map(([name, ref]) => `TF_VAR_${name} from ${ref}`);
  return [
    {
      where,
      command: [
        ...Object.entries(variables).map(([name, value]) => `export TF_VAR_${name}='${value}'`),
        `${program} init -input=false`,
      ].join('; '),
      ...(secrets.length === 0 ? {} : { note: `Set before: ${secrets.join(', ')}.` }),
    },
    {
      where,
      command: `${program} plan -input=false -out=recovery.plan`,
      note: 'Read it. It must remove or replace nothing that is not meant to go.',
    },
    { where, command: `${program} apply -input=false recovery.plan` },
    { where, command: `rm recovery.plan; ${program} output`, note: 'A plan holds secrets.' },
  ];
}
