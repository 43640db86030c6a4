import type { PrintedCommand } from '../../src/model/plan.js';
import type { OwnersCommand } from '../../src/runbook/schema.js';
import type { ReleaseOf } from '../contract.js';

/** Seeing by hand which release runs and which migrations came with it. */
export function releaseCommands({
  application: { url, healthPath },
  database: { postgres },
  releases,
}: Pick<ReleaseOf, 'application' | 'database' | 'releases'>): readonly PrintedCommand[] {
  const psql = `psql -h ${postgres.host} -p ${postgres.port} -U ${postgres.admin.user} -d ${postgres.database}`;
  const where = 'anywhere that reaches the database';
  const query = (sql: string) => `${psql} <<'SQL'\n${sql.trim().replace(/;+$/, '')};\nSQL`;
  return [
    { where: 'anywhere', command: `curl -sS -i ${url}${healthPath}`, note: 'Tells which release answers.' },
    {
      where,
      command: query(releases.history),
      note: 'The first is the release that runs; the next other one is the last good one.',
    },
    ...(releases.migrations === undefined
      ? []
      : [{ where, command: query(releases.migrations), note: 'Those of later releases are taken back.' }]),
  ];
}

/** Taking migrations back by hand. */
export function migrateDownCommands(
  command: OwnersCommand,
  { site }: ReleaseOf['database'],
): readonly PrintedCommand[] {
  return [
    {
      where: `where the worker runs, in ${command.directory}`,
      command: `MUSTER_SITE=${site} MUSTER_RELEASE=<release> ${command.command.join(' ')} <<< '{"inputs":{"migrations":["<newest>","<next>"]}}'`,
      note: 'With the environment of scenarios.badDeployment.migrateDown.',
    },
  ];
}
