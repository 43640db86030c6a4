/** A whole recovery by Muster beside the same tools called by hand in the best order. */
import { type HandRecovery, recoverByHand } from './by-hand/recovery.js';
import { withBrokenLab } from './labs.js';
import { compare, type Measurement } from './measurement.js';
import { fromCorruption, recoverWithMuster, workingMs } from './muster.js';
import { keepDump } from './owners-way/dump.js';
import { recoverOwnersWay } from './owners-way/recovery.js';
import type { Settings } from './settings.js';
import { median } from './statistics.js';

const LIMIT = 1.1;

/** One recovery of one side. */
interface Recovery {
  /** From its start to its end. */
  readonly tookMs: number;
  /** From its start until the service is back, proven by a payment. */
  readonly serviceMs: number;
}

type Side = (settings: Settings) => Promise<Recovery>;

export function measureRecovery(settings: Settings): Promise<Measurement> {
  return measureSides(settings, 'recovery', LIMIT, [
    ['muster', byMuster],
    ['byHand', byHand],
  ]);
}

export function measureOwnersWay(settings: Settings): Promise<Measurement> {
  return measureSides(settings, 'owners-way', null, [
    ['ownersWay', ownersWay],
    ['muster', byMuster],
  ]);
}

async function measureSides(
  settings: Settings,
  name: string,
  limit: number | null,
  sides: readonly [above: NamedSide, below: NamedSide],
): Promise<Measurement> {
  const [above, below] = [seen(sides[0]), seen(sides[1])];
  for (let run = 0; run < settings.runs; run += 1) {
    // Taking turns at going first, so that what the first one leaves behind helps neither.
    for (const one of run % 2 === 0 ? [above, below] : [below, above]) {
      settings.say(one.name);
      const recovery = await one.recover(settings);
      one.recoveries.push(recovery);
      settings.say(`  ${seconds(recovery.tookMs)} s, service back after ${seconds(recovery.serviceMs)} s`);
    }
  }
  const measured = compare(name, limit, settings.runs, [
    { name: `${above.name}Ms`, values: above.recoveries.map(({ tookMs }) => tookMs) },
    { name: `${below.name}Ms`, values: below.recoveries.map(({ tookMs }) => tookMs) },
  ]);
  const service = [above, below].map((one) => [
    `${one.name}ServiceMs`,
    median(one.recoveries.map(({ serviceMs }) => serviceMs)),
  ]);
  return { ...measured, raw: { ...measured.raw, ...Object.fromEntries(service) } };
}

type NamedSide = readonly [name: string, recover: Side];

function seen([name, recover]: NamedSide) {
  return { name, recover, recoveries: [] as Recovery[] };
}

const nothing = async () => undefined;

function byMuster({ sizeBytes, tell }: Settings): Promise<Recovery> {
  const wanted = { sizeBytes, say: tell, worker: 'when-built', prepare: nothing } as const;
  return withBrokenLab(wanted, async ({ state, damage }) => {
    const view = await recoverWithMuster(state, fromCorruption(damage));
    const began = Date.parse(view.clock.startedAt);
    for (const { name, startedAt = '', endedAt = '' } of view.steps) {
      tell(line(name, Date.parse(startedAt) - began, Date.parse(endedAt) - began));
    }
    return { tookMs: workingMs(view), serviceMs: view.clock.workingMs };
  });
}

function byHand({ sizeBytes, tell }: Settings): Promise<Recovery> {
  const wanted = { sizeBytes, say: tell, worker: 'none', prepare: nothing } as const;
  return withBrokenLab(wanted, async ({ state, damage }) =>
    recoveryOf(await recoverByHand(state, damage), tell),
  );
}

function ownersWay({ sizeBytes, tell }: Settings): Promise<Recovery> {
  const wanted = { sizeBytes, say: tell, worker: 'none', prepare: keepDump } as const;
  return withBrokenLab(wanted, async ({ state, damage, prepared }) =>
    recoveryOf(await recoverOwnersWay(state, damage, prepared), tell),
  );
}

function recoveryOf({ tookMs, parts }: HandRecovery, tell: Settings['tell']): Recovery {
  for (const [name, [began, ended]] of Object.entries(parts)) tell(line(name, began, ended));
  return { tookMs, serviceMs: parts.validate?.[1] ?? tookMs };
}

function line(name: string, beganMs: number, endedMs: number): string {
  const columns = [beganMs, endedMs, endedMs - beganMs].map((ms) => (ms / 1000).toFixed(2).padStart(7));
  return `${name.padEnd(20)} ${columns.join(' ')}`;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
