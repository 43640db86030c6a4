/** After a recovery from a bad change: what was written after its point and is sound is carried over, the rest is listed. */
import { readFile } from 'node:fs/promises';
import type { Assessment, LossReport, SalvageCarried, SalvageFound } from '../../../activities/contract.js';
import { labHarm } from '../../../lab/commands.js';
import { withClient } from '../../../lab/parts/postgres.js';
import type { WorldName } from '../../../lab/worlds/index.js';
import { COMMANDER, gateOpens } from '../../support/incident.js';
import { cell, type Recovered, type Stage } from './cell.js';
import { commandUntilOver } from './commander.js';
import { acknowledgedBy, adminAt, approvedBy, moreAcknowledged, worldIsRight, worldNow } from './world.js';

export interface SalvageCell {
  readonly system: WorldName;
  /** Of what the client writes. */
  readonly table: string;
  /** Whose loss is measured. */
  readonly dataClass: string;
  /** Who opens each gate. */
  readonly people: Readonly<Record<'point' | 'promote' | 'salvage', string>>;
  /** Records before the disaster, and something to go back to. */
  readonly prepare: (stage: Stage) => Promise<ReadonlySet<string>>;
  /** Spoils one record that was written after the point, and returns its id. */
  readonly spoil: string;
  /** Why that one is not sound, in the words of the runbook. */
  readonly because: string;
}

/** Declares the tests of the cell `corruption <system> salvage`. */
export function salvageCell({
  system,
  table,
  dataClass,
  people,
  prepare,
  spoil,
  because,
}: SalvageCell): void {
  let spoilt = '';
  const approve = approvedBy(people);

  cell({
    scenario: 'corruption',
    system,
    variant: 'salvage',
    lab: { systems: [system] },
    strike: async (stage) => {
      const safe = await prepare(stage);
      const { at } = await labHarm('corruption', system, { dir: stage.lab.dir });
      const world = await worldNow(stage);
      await moreAcknowledged(world, 20);
      await withClient(await adminAt(world, 'west'), async (client) => {
        spoilt = (await client.query<{ id: string }>(spoil)).rows[0]?.id ?? '';
      });
      expect(spoilt).not.toBe('');
      await moreAcknowledged(world, 3);
      return { begin: ['--before', at], safe };
    },
    approve,
    look: worldIsRight({ from: 'west', to: 'recovery', table }),
    also: { 'carries over what is sound, by a gate of its own, and lists the rest': salvages },
  });

  async function salvages(recovered: Recovered): Promise<void> {
    const { incident, result } = recovered;
    const before = (result.outputs['measure-loss'] as LossReport).classes[dataClass];
    const how = ['--by', COMMANDER, '--yes', '--no-watch', '--json'];
    const begun = await incident.muster('recover', 'salvage', system, ...how);
    if (begun.code !== 0) throw new Error(begun.stderr);
    const open = await incident.until(gateOpens('salvage'), 'what was found is shown');
    const facts = Object.fromEntries(
      (open.openDecisions[0]?.facts ?? []).map(({ label, value }) => [label, value]),
    );
    expect(facts[table]).toMatch(/^\d+ of \d+ rows are sound/);
    const salvage = await commandUntilOver(incident, { approve });
    expect(salvage.view.status).toBe('recovered');
    const found = salvage.outputs['find-salvage'] as SalvageFound;
    const carried = salvage.outputs['carry-over'] as SalvageCarried;
    const after = (salvage.outputs['measure-loss'] as LossReport).classes[dataClass];

    const list = (await readFile(found.list.file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { key: string; refused: string | null });
    expect(list.find(({ key }) => key === spoilt)).toMatchObject({ refused: because });
    const sound = list.filter(({ refused }) => refused === null).map(({ key }) => key);
    expect(sound.length).toBeGreaterThan(15);
    expect(carried.tables).toMatchObject([{ table, carried: sound.length, refused: {} }]);

    // Read first: records go on.
    const world = await worldNow(recovered);
    const acknowledged = await acknowledgedBy(world);
    const present = await withClient(await adminAt(world, 'recovery'), async (client) => {
      const { rows } = await client.query<{ id: string }>(`select id::text from ${table}`);
      return new Set(rows.map(({ id }) => id));
    });
    expect(sound.filter((id) => !present.has(id))).toEqual([]);
    expect(present.has(spoilt)).toBe(false);
    const missing = acknowledged.filter(({ id }) => !present.has(id)).map(({ id }) => id);
    expect(missing).toContain(spoilt);
    expect(after?.lostRecords).toBe(missing.length);
    expect(after?.lostRecords ?? 0).toBeLessThan(before?.lostRecords ?? 0);
    const rules = salvage.outputs['check-rules'] as Assessment;
    expect(rules).toMatchObject({ reachable: true });
    expect(rules.invariants.filter(({ violations }) => violations > 0)).toEqual([]);
  }
}
