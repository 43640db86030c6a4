import type { PrintedCommand } from '../../src/model/plan.js';
import type { Invariant } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';

/** Measuring the damage by hand: what each query returns breaks a rule. */
export function assessCommands({
  damaged,
  invariants,
}: {
  readonly damaged: DatabaseAt;
  readonly invariants: readonly Invariant[];
}): readonly PrintedCommand[] {
  const { host, port, database, admin } = damaged.postgres;
  const psql = `psql -h ${host} -p ${port} -U ${admin.user} -d ${database}`;
  return [
    {
      where: 'anywhere that reaches the primary',
      command: `${psql} -Atc "SELECT system_identifier FROM pg_control_system()" -c "SELECT timeline_id FROM pg_control_checkpoint()"`,
      note: 'Write both down: they say which cluster is meant.',
    },
    ...invariants.map(({ name, title, sql, parameters }) => ({
      where: 'anywhere that reaches the primary',
      command: `${psql} <<'SQL'\n${sql.trim()};\nSQL`,
      note: `${name}: ${title}. Rows that come back break it.${parameters.length === 0 ? '' : ` In place of ${parameters.map((_, index) => `$${index + 1}`).join(', ')} goes what stands in ${parameters.join(', ')}, as a quoted text.`}`,
    })),
  ];
}
