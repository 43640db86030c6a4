/** A bad import into one table of a system beside Payymo: that table comes back, and the rest stays live. */
import type pg from 'pg';
import type { TablesReplaced, TablesTaken } from '../../../activities/contract.js';
import type { Harm } from '../../../lab/break/worlds.js';
import { labHarm } from '../../../lab/commands.js';
import { withClient } from '../../../lab/parts/postgres.js';
import type { WorldName } from '../../../lab/worlds/index.js';
import type { RunResult } from '../../../src/model/run.js';
import { COMMANDER, gateOpens, useIncident } from '../../support/incident.js';
import { useLab } from '../../support/lab.js';
import { recordInDns } from '../../support/record.js';
import type { Stage } from './cell.js';
import { commandUntilOver } from './commander.js';
import { measured } from './measured.js';
import { acknowledgedBy, adminAt, approvedBy, moreAcknowledged, worldNow } from './world.js';

export interface TablesCell {
  readonly system: WorldName;
  /** What the import goes into. */
  readonly table: string;
  /** Of what the client writes. */
  readonly records: string;
  /** Columns that nobody changes, the key first: what must be as it was before. */
  readonly columns: readonly string[];
  /** Who opens the gate `tables`. */
  readonly approver: string;
  /** Records before the disaster, and something to go back to. */
  readonly prepare: (stage: Stage) => Promise<ReadonlySet<string>>;
  /** `searched`: nobody says since when it is bad. */
  readonly moment: 'told' | 'searched';
  /** What becomes of the rows that were hit. */
  readonly hit: 'changed' | 'missing';
}

/** Declares the tests of the cell `corruption <system> tables`. */
export function tablesCell({ system, table, records, columns, ...how }: TablesCell): void {
  const lab = useLab({ worker: 'when-built', systems: [system] });
  const incident = useIncident(lab, system);
  const stage: Stage = { lab, incident };
  let before: readonly string[];
  let harm: Harm;
  let result: RunResult;

  const home = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const world = await worldNow(stage);
    return withClient(await adminAt(world, 'west'), work);
  };
  const asked = (sql: string) =>
    home(async (client) => {
      const { rows } = await client.query<{ line: string }>(`select t::text as line from (${sql}) as t`);
      return rows.map(({ line }) => line);
    });
  const rows = () => asked(`select ${columns.join(', ')} from ${table}`);

  it('brings the table back, after a gate that shows what changes', async () => {
    await how.prepare(stage);
    before = await rows();
    harm = await labHarm('corrupted-table', system, { dir: lab.dir });
    const [damage] = harm.rows ?? [];
    expect(damage?.rows).toBeGreaterThan(10);
    await moreAcknowledged(await worldNow(stage), 4);
    const since = how.moment === 'told' ? ['--before', harm.at] : [];
    const begin = ['--tables', table, ...since, '--by', COMMANDER, '--yes', '--no-watch', '--json'];
    const begun = await incident.muster('recover', 'corruptedTables', system, ...begin);
    if (begun.code !== 0) throw new Error(`exit code ${begun.code}: ${begun.stderr}`);
    const open = await incident.until(gateOpens('tables'), 'what differs is shown');
    const facts = Object.fromEntries(
      (open.openDecisions[0]?.facts ?? []).map(({ label, value }) => [label, value]),
    );
    const [back, come] = how.hit === 'changed' ? [damage?.rows, 0] : [0, damage?.rows];
    expect(facts[table]).toContain(`${back} rows go back, ${come} come back`);
    const approve = approvedBy({ tables: how.approver });
    result = await commandUntilOver(incident, { approve });
    measured(`corruption ${system} tables`, result);
    expect(result.view.status).toBe('recovered');
  }, 360_000);

  it('changed the rows of the import alone, and keeps the bad ones', async () => {
    const hit = harm.rows?.[0]?.rows ?? 0;
    const taken = result.outputs['take-tables'] as TablesTaken;
    const counted = { changed: how.hit === 'changed' ? hit : 0, missing: how.hit === 'missing' ? hit : 0 };
    expect(taken.tables).toMatchObject([{ table, ...counted }]);
    const replaced = result.outputs['replace-tables'] as TablesReplaced;
    expect(replaced.tables).toEqual([{ table, changed: counted.changed, inserted: counted.missing }]);
    expect(replaced.checks.join()).toMatch(/invariants hold.*foreign keys without orphans/);
    const now = new Set(await rows());
    expect(before.filter((row) => !now.has(row))).toEqual([]);
    const kept = new Set(await asked(`select ${columns.join(', ')} from ${replaced.kept}."${table}"`));
    expect(before.filter((row) => !kept.has(row)).length).toBe(hit);
  }, 30_000);

  it('the rest stayed live: every record is there, every rule holds, and nothing has moved', async () => {
    const world = await worldNow(stage);
    await moreAcknowledged(world, 3);
    const acknowledged = await acknowledgedBy(world);
    const present = new Set(await asked(`select id from ${records}`));
    expect(acknowledged.filter(({ id }) => !present.has(`(${id})`))).toEqual([]);
    const { verification } = await incident.runbook();
    for (const { sql } of verification.invariants) {
      expect(await home(async (client) => (await client.query(sql)).rows)).toEqual([]);
    }
    expect((await recordInDns({ dns: { ...lab.state.dns, ...world.dns } })).values).toEqual([
      world.sites.west?.address,
    ]);
    expect(await incident.claims()).toEqual([]);
    const { runId } = result.view;
    expect(await incident.muster('journal', 'verify', runId)).toMatchObject({ code: 0 });
  }, 60_000);
}
