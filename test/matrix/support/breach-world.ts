/** A breach of a system beside Payymo, and what must be so after it. */
import type { RecoveryPoint } from '../../../activities/contract.js';
import type { WorldIntrusion } from '../../../lab/break/world-breach.js';
import { breakIntoWorld } from '../../../lab/break/world-breach.js';
import type { LabState, WorldState } from '../../../lab/state.js';
import type { WorldName } from '../../../lab/worlds/index.js';
import { worldNamed } from '../../../lab/worlds/index.js';
import {
  expectEvidence,
  expectLocked,
  expectOldCredentialsDead,
  expectOpenInvestigation,
  expectSigns,
  gatedBySecurity,
  inDatabase,
} from './breach.js';
import { cell, type Recovered, type Stage } from './cell.js';
import { labNow } from './ledger.js';
import { approvedBy, siteOf, worldIsRight, worldNow } from './world.js';

interface BreachOfWorld {
  readonly system: WorldName;
  /** Table of the records that are acknowledged. */
  readonly table: string;
  /** Who opens the gates `isolate` and `point`. */
  readonly approver: string;
  /** Records, a backup of them, and records that are not in it. @returns those that are in it for certain */
  readonly write: (stage: Stage) => Promise<ReadonlySet<string>>;
}

/** Declares the cell. */
export function breachOfWorld({ system, table, approver, write }: BreachOfWorld): void {
  const { backup, rolePrefix, intrusion: prey } = worldNamed(system);
  if (prey === undefined) throw new Error(`nobody breaks into ${system}`);
  /** As it was before the intruder came: every password in it is stolen. */
  let stolen: { readonly lab: LabState; readonly world: WorldState };
  let intrusion: WorldIntrusion;

  cell({
    scenario: 'breach',
    system,
    lab: { systems: [system] },
    strike: async (stage) => {
      stolen = { lab: await labNow(stage), world: await worldNow(stage) };
      const safe = await write(stage);
      const harm = await breakIntoWorld(stolen.lab, system);
      if (harm.intrusion === undefined) throw new Error('nobody is in');
      intrusion = harm.intrusion;
      return { begin: ['--detected-at', new Date().toISOString()], safe };
    },
    approve: gatedBySecurity(approvedBy({ isolate: approver, point: approver })),
    look: worldIsRight({ from: 'west', to: 'recovery', table }),
    also: {
      'goes back to before the intruder': async ({ result }) => {
        expectSigns(result, intrusion.left);
        const point = result.outputs['propose-point'] as RecoveryPoint;
        if (backup === 'archive') return expectCleanArchive(point, intrusion);
        expect(Date.parse(point.time) - Date.parse(intrusion.startedAt)).toBeLessThan(2_000);
        expect(point.time > intrusion.startedAt && point.time < intrusion.finishedAt).toBe(true);
        expect(point.backup.repository).toBe(2);
      },

      'lets nobody in with anything stolen, neither here nor there': async (recovered) => {
        const { admin, app, deploy, replication } = stolen.world;
        const now = await worldNow(recovered);
        await expectOldCredentialsDead(recovered.result, {
          database: now.database,
          stolen: [admin, app, deploy, replication, intrusion.backdoor],
          renewed: [now.admin, now.app, now.deploy],
          ...{ old: siteOf(now, 'west'), now: siteOf(now, 'recovery') },
        });
      },

      'has nothing of the intruder in the new primary': (recovered) =>
        expectNothingLeft(recovered, `${rolePrefix}_maintenance`, prey.encrypted),

      'keeps evidence that nobody can change, and that is the cluster to the byte': ({ result }) =>
        expectEvidence(stolen.lab, result),

      'leaves the investigation to people': (recovered) =>
        expectOpenInvestigation(recovered, `${rolePrefix}_maintenance`),

      'was rebuilt from what the intruder could not delete': async () => {
        expect(intrusion.deletedObjects).toBeGreaterThan(0);
        expect(intrusion.lockedObjects).toBeGreaterThan(0);
        await expectLocked(stolen.lab, stolen.world.bucket, intrusion);
      },
    },
  });
}

/** What the signs are dated to is later than the archive that was taken meanwhile: looking into it has told. */
function expectCleanArchive(
  { time, archive }: RecoveryPoint,
  { startedAt, cameBackAt, uncleanArchive }: WorldIntrusion,
): void {
  expect(time < startedAt).toBe(true);
  expect(uncleanArchive).toBeDefined();
  const passedOver = archive?.passedOver.find((one) => one.includes(uncleanArchive ?? '')) ?? '';
  expect(passedOver).toMatch(/role \w+_maintenance \(superuser, may log in\)/);
  expect((archive?.asOf ?? '') >= cameBackAt).toBe(true);
  expect(archive?.checked).toMatch(
    /loaded in isolation: no sign of the intruder, .* rules hold; locked until /,
  );
}

async function expectNothingLeft(
  recovered: Recovered,
  role: string,
  { table, columns }: { readonly table: string; readonly columns: readonly string[] },
): Promise<void> {
  const world = await worldNow(recovered);
  const { address, port } = siteOf(world, 'recovery');
  const cipher = columns.map((column) => `${column} ~ '^[A-Za-z0-9+/]{64}$'`).join(' or ');
  const left = await inDatabase({ address, port, database: world.database }, world.admin, async (client) =>
    client.query(
      `select rolname as what from pg_roles where rolname = $1
       union all select proname from pg_proc where proname = 'settle'
       union all select tgname from pg_trigger where tgname = 'settle'
       union all select extname from pg_extension where extname = 'dblink'
       union all select relname from pg_class where relname in ('read_me', 'settlement_cache')
       union all select id::text from ${table} where ${cipher}`,
      [role],
    ),
  );
  expect(left.rows).toEqual([]);
}
