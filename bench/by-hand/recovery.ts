/**
 * The recovery by hand, in the best order that somebody with several shells and every command ready could find: whatever does
 * not need the outcome of another thing is begun at once, and everything is looked at that Muster looks at. It shares no
 * code with Muster's own steps.
 */
import { availableParallelism } from 'node:os';
import type { Corruption } from '../../lab/break/corruption.js';
import type { LabState } from '../../lab/state.js';
import { backUp, countLost, writeDown } from './afterwards.js';
import { makeRoom, restoreFiles, start, untilPaused, writeSettings } from './copy.js';
import { changeRecord, promote, validate } from './cutover.js';
import { assess, findWay, type Way } from './damage.js';
import { fence, setAside } from './fence.js';
import { type Hand, takeInHand } from './hand.js';
import {
  checkApplication,
  checkDump,
  checkFiles,
  checkPoint,
  checkRepository,
  checkRules,
  checkStructure,
} from './ladder.js';

/** Bytes that are free at least. */
const ROOM = 3_000_000_000;

export interface HandRecovery {
  readonly tookMs: number;
  /** When each part began and ended, in milliseconds from the start. */
  readonly parts: Readonly<Record<string, readonly [beganMs: number, endedMs: number]>>;
}

export async function recoverByHand(state: LabState, damage: Corruption): Promise<HandRecovery> {
  const hand = await takeInHand(state, damage);
  const begun = performance.now();
  const parts: Record<string, [number, number]> = {};
  const timed = <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const from = performance.now() - begun;
    const done = work().then((result) => {
      parts[name] = [Math.round(from), Math.round(performance.now() - begun)];
      return result;
    });
    return beside(done);
  };
  await recover(hand, timed);
  return { tookMs: performance.now() - begun, parts };
}

/** Work that is waited for later: if it fails before, it fails then. */
function beside<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

type Timed = <T>(name: string, work: () => Promise<T>) => Promise<T>;

async function recover(hand: Hand, timed: Timed): Promise<void> {
  const { record, old, target } = hand;
  const assessed = timed('assess', () => assess(hand));
  const way = await timed('point', () => findWay(hand));
  const firstRepository = timed('verify repository 1', () => checkRepository(hand, 1, way));

  const copy = buildCopy(hand, way, timed);
  const otherRepository = beside(
    Promise.all([firstRepository, copy.restored]).then(() =>
      timed('verify repository 2', () => checkRepository(hand, 2, way)),
    ),
  );
  const fenced = assessed.then(async () => {
    const lowered = timed('lower TTL', () =>
      changeRecord(hand, old.host, { value: old.host, ttl: record.recoveryTtl }),
    );
    await timed('fence', () => fence(hand, way.systemIdentifier));
    await timed('set aside', () => setAside(hand, way.systemIdentifier));
    await lowered;
  });

  const [lsn] = await Promise.all([copy.checked, firstRepository, fenced]);
  const timeline = await timed('promote', () => promote(hand, way.systemIdentifier, lsn));
  const protectedAgain = timed('back up', () => backUp(hand, timeline));
  await timed('cut over', () =>
    changeRecord(hand, old.host, { value: target.host, ttl: record.recoveryTtl }),
  );
  await timed('validate', () => validate(hand));
  const [lost, broken] = await Promise.all([
    timed('count lost', () => countLost(hand)),
    assessed,
    timed('raise TTL', () => changeRecord(hand, target.host, { value: target.host, ttl: record.ttl })),
    protectedAgain,
    otherRepository,
  ]);
  await timed('write down', () => writeDown(hand, { way, broken, lost }));
}

/** @returns the position at which the copy stands, once every check of it has passed */
function buildCopy(hand: Hand, way: Way, timed: Timed) {
  const restored = timed('restore', async () => {
    await makeRoom(hand, ROOM);
    await restoreFiles(hand, way.labels[1] ?? '', way.timeline);
    await writeSettings(hand);
    await start(hand);
    return untilPaused(hand);
  });
  const checked = restored.then(async (paused) => {
    await timed('point reached', () => checkPoint(hand, paused, way));
    await timed('files', () => checkFiles(hand, paused, way));
    await Promise.all([
      timed('structure', () => checkStructure(hand)),
      timed('dump', () => checkDump(hand)),
      timed('rules', () => checkRules(hand, Math.min(4, availableParallelism()))),
      timed('application', () => checkApplication(hand)),
    ]);
    return paused.lsn;
  });
  return { restored, checked: beside(checked) };
}
