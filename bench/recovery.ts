/** A whole recovery by Muster beside the same tools called by hand in the best order. */
import { recoverByHand } from './by-hand/recovery.js';
import { type Broken, withBrokenLab } from './labs.js';
import { compare, type Measurement } from './measurement.js';
import { recoverWithMuster, workingMs } from './muster.js';
import { keepDump } from './owners-way/dump.js';
import { recoverOwnersWay } from './owners-way/recovery.js';
import type { Settings } from './settings.js';

const LIMIT = 1.1;

export async function measureRecovery(settings: Settings): Promise<Measurement> {
  const muster: number[] = [];
  const byHand: number[] = [];
  for (let run = 0; run < settings.runs; run += 1) {
    const sides = [
      async () => void muster.push(await musterMs(settings)),
      async () => void byHand.push(await handMs(settings)),
    ];
    // Taking turns at going first, so that what the first one leaves behind helps neither.
    for (const side of run % 2 === 0 ? sides : sides.reverse()) await side();
  }
  return compare('recovery', LIMIT, settings.runs, [
    { name: 'musterMs', values: muster },
    { name: 'byHandMs', values: byHand },
  ]);
}

export async function measureOwnersWay(settings: Settings): Promise<Measurement> {
  const owners: number[] = [];
  const muster: number[] = [];
  for (let run = 0; run < settings.runs; run += 1) {
    owners.push(await ownersMs(settings));
    muster.push(await musterMs(settings));
  }
  return compare('owners-way', null, settings.runs, [
    { name: 'ownersWayMs', values: owners },
    { name: 'musterMs', values: muster },
  ]);
}

const nothing = async () => undefined;

function musterMs({ sizeBytes, say, tell }: Settings): Promise<number> {
  say('recovery by Muster');
  return withBrokenLab({ sizeBytes, say: tell, worker: 'when-built', prepare: nothing }, async (lab) => {
    const view = await recoverWithMuster(lab.state, lab.damage);
    const began = Date.parse(view.clock.startedAt);
    for (const { name, startedAt = '', endedAt = '' } of view.steps) {
      tell(line(name, Date.parse(startedAt) - began, Date.parse(endedAt) - began));
    }
    return told(say, workingMs(view));
  });
}

function handMs({ sizeBytes, say, tell }: Settings): Promise<number> {
  say('recovery by hand');
  return withBrokenLab({ sizeBytes, say: tell, worker: 'none', prepare: nothing }, (lab) =>
    timedParts(lab, recoverByHand, say, tell),
  );
}

function ownersMs({ sizeBytes, say, tell }: Settings): Promise<number> {
  say("recovery the owner's way");
  return withBrokenLab({ sizeBytes, say: tell, worker: 'none', prepare: keepDump }, (lab) =>
    timedParts(lab, (state, damage) => recoverOwnersWay(state, damage, lab.prepared), say, tell),
  );
}

async function timedParts(
  { state, damage }: Pick<Broken, 'state' | 'damage'>,
  recover: typeof recoverByHand,
  say: (line: string) => void,
  tell: (line: string) => void,
): Promise<number> {
  const { tookMs, parts } = await recover(state, damage);
  for (const [name, [began, ended]] of Object.entries(parts)) tell(line(name, began, ended));
  return told(say, tookMs);
}

function line(name: string, beganMs: number, endedMs: number): string {
  const seconds = (value: number) => (value / 1000).toFixed(2).padStart(7);
  return `${name.padEnd(20)} ${seconds(beganMs)} ${seconds(endedMs)} ${seconds(endedMs - beganMs)}`;
}

function told(say: (line: string) => void, tookMs: number): number {
  say(`  ${(tookMs / 1000).toFixed(1)} s`);
  return tookMs;
}
