/** Muster's restore beside bare pgBackRest with the same options, start and replay to the same paused position. */

import { rm } from 'node:fs/promises';
import type { StepRef } from '../activities/contract.js';
import { pointActivities } from '../activities/point/index.js';
import { provisionActivities } from '../activities/provision/index.js';
import { leaseFileOf } from '../activities/provision/lease.js';
import { restoreActivities } from '../activities/restore/index.js';
import { pgbackrestOf } from '../src/runbook/backups.js';
import { makeRoom, restoreFiles, start, untilPaused, writeSettings } from './by-hand/copy.js';
import { type Hand, program, takeInHand } from './by-hand/hand.js';
import { must, type } from './by-hand/shell.js';
import { settle, withBrokenLab } from './labs.js';
import { compare, type Measurement } from './measurement.js';
import type { Settings } from './settings.js';

const LIMIT = 1.05;

export async function measureRestore({ sizeBytes, runs, say, tell }: Settings): Promise<Measurement> {
  const driver: number[] = [];
  const bare: number[] = [];
  const prepare = async () => undefined;
  await withBrokenLab({ sizeBytes, worker: 'none', say: tell, prepare }, async ({ state, damage }) => {
    const hand = await takeInHand(state, damage);
    const order = await orderOf(hand);
    // The first pair warms the caches up.
    for (let run = 0; run <= runs; run += 1) {
      const sides = [
        async () => ({ into: driver, ...(await timedOn(hand, () => byDriver(order, run))) }),
        async () => ({ into: bare, ...(await timedOn(hand, () => byHand(hand, order.point))) }),
      ];
      const positions: string[] = [];
      for (const side of run % 2 === 0 ? sides : sides.reverse()) {
        const { into, ms, lsn } = await side();
        positions.push(lsn);
        if (run === 0) continue;
        into.push(ms);
        say(`restore ${into === driver ? 'by Muster' : 'bare'}: ${(ms / 1000).toFixed(2)} s`);
      }
      must(positions[0] === positions[1], 'both end at the same position');
    }
  });
  return compare('restore', LIMIT, runs, [
    { name: 'musterMs', values: driver },
    { name: 'bareMs', values: bare },
  ]);
}

type Order = Awaited<ReturnType<typeof orderOf>>;

async function orderOf(hand: Hand) {
  const damaged = { site: 'west', postgres: hand.old };
  const target = { site: 'recovery', postgres: hand.target };
  const backup = pgbackrestOf(hand.runbook, 'ledger');
  if (backup === undefined) throw new TypeError('the runbook names no backup of the ledger');
  const at = refOf(0);
  const { dataClasses } = hand.runbook.objectives;
  const point = await pointActivities().proposePoint({
    at,
    damaged,
    backup,
    before: hand.before,
    dataClasses,
  });
  return { target, backup, point };
}

function refOf(run: number): StepRef {
  return {
    runId: `bench-restore-${run}`,
    system: 'payymo',
    scenario: 'corruption',
    mode: 'real',
    step: 'restore',
  };
}

interface Timed {
  readonly ms: number;
  readonly lsn: string;
}

async function byDriver({ target, backup, point }: Order, run: number): Promise<Timed> {
  const at = refOf(run);
  const provisioned = await provisionActivities().provisionTarget({ at, target, point });
  return timed(() => restoreActivities().restoreDatabase({ at, target, provisioned, backup, point }));
}

async function byHand(hand: Hand, point: Order['point']): Promise<Timed> {
  await makeRoom(hand, point.backup.databaseBytes);
  return timed(async () => {
    await restoreFiles(hand, point.backup.label, point.timeline);
    await writeSettings(hand);
    await start(hand);
    return untilPaused(hand);
  });
}

async function timed(work: () => Promise<{ readonly lsn: string }>): Promise<Timed> {
  const begun = performance.now();
  const { lsn } = await work();
  return { ms: performance.now() - begun, lsn };
}

/** On an empty target, which is emptied again. */
async function timedOn(hand: Hand, work: () => Promise<Timed>): Promise<Timed> {
  const { dataDirectory } = hand.target.service;
  await settle();
  try {
    return await work();
  } finally {
    await type(program(hand, 'pg_ctl'), ['stop', '-D', dataDirectory, '-m', 'immediate', '-s', '-w'], {
      as: 'database',
    });
    await rm(dataDirectory, { recursive: true, force: true });
    await rm(leaseFileOf(dataDirectory), { force: true });
  }
}
