import type { PrintedCommand } from '../../src/model/plan.js';
import type { DataClass } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

/** Counting by hand what was lost: what was acknowledged outside against what the recovered database holds. */
export function lossCommands({
  target,
  dataClasses,
}: {
  readonly target: DatabaseAt;
  readonly dataClasses: Readonly<Record<string, DataClass>>;
}): readonly PrintedCommand[] {
  const { host, port, database, admin } = target.postgres;
  return Object.entries(dataClasses).flatMap(([name, { acknowledged, table, key, time }]) =>
    acknowledged === undefined
      ? []
      : [
          {
            where: 'anywhere',
            command: `curl -fsS '${acknowledged.url}?since=<recovery point>' | jq -r .id | sort > acknowledged-${name}.txt`,
          },
          {
            where: 'anywhere that reaches the new primary',
            command: `psql -h ${host} -p ${port} -U ${admin.user} -d ${database} -Atc "select ${key} from ${table} where ${time} >= timestamptz '<recovery point>' - interval '1 minute'" | sort > present-${name}.txt`,
          },
          {
            where: 'anywhere',
            command: `comm -23 acknowledged-${name}.txt present-${name}.txt`,
            note: `What it lists is lost: ${name} that users were told is done.`,
          },
        ],
  );
}
