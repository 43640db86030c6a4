/** The loss of a region with a large ledger and many files, beside the longest single part of bringing it back. */
import { breakRegion } from '../lab/break/regional-loss.js';
import { archiveAll, waitForPayments } from '../lab/demo/payments.js';
import type { RunView, StepView } from '../src/model/run.js';
import { FILLED, requireSize, settle, withLab } from './labs.js';
import { sayWhenBusy } from './machine.js';
import { compare, type Measurement } from './measurement.js';
import { seeThrough, withRun } from './muster.js';
import type { Settings } from './settings.js';
import { addTo, median } from './statistics.js';

const LIMIT = 1.25;
const FILES = 5_000;

/** What has to be brought back, and the steps that do it; each is one after another in itself. */
const PARTS: Readonly<Record<string, RegExp>> = {
  database: /^(choose-target|provision-target|restore|verify-(?!other-copies).*)$/,
  files: /^(take-over|reconcile)-/,
  application: /^(deploy|start)-application$/,
  name: /^(lower-dns-ttl|cutover)$/,
};

export async function measureRegional({ sizeBytes, runs, say, tell }: Settings): Promise<Measurement> {
  const wholes: number[] = [];
  const longests: number[] = [];
  const parts: Record<string, number[]> = {};
  for (let run = 0; run < runs; run += 1) {
    const view = await oneLoss(sizeBytes, tell);
    const took = partsOf(view);
    const [longest, longestMs] = longestOf(took);
    const wholeMs = wholeOf(view);
    wholes.push(wholeMs);
    longests.push(longestMs);
    for (const [name, ms] of Object.entries(took)) addTo(parts, name, ms);
    for (const step of view.steps) tell(`${step.name.padEnd(24)} ${step.workingMs} ms`);
    say(
      `regional loss: service back after ${seconds(view.clock.workingMs)} s, all of it after ${seconds(wholeMs)} s; longest part: ${longest}, ${seconds(longestMs)} s`,
    );
  }
  const measured = compare('regional', LIMIT, runs, [
    { name: 'musterMs', values: wholes },
    { name: 'longestPartMs', values: longests },
  ]);
  const each = Object.entries(parts).map(([name, values]) => [`${name}Ms`, median(values)]);
  return { ...measured, raw: { ...measured.raw, ...Object.fromEntries(each) } };
}

async function oneLoss(sizeBytes: number, tell: Settings['tell']): Promise<RunView> {
  const size = { sizeBytes: sizeBytes * FILLED, files: FILES };
  return withLab({ worker: 'when-built', size, log: tell }, async (state) => {
    await requireSize(state, sizeBytes);
    await waitForPayments(state, 20);
    // The other region is led to by what was archived after the backup that the lab began with.
    await archiveAll(state);
    await breakRegion(state);
    await settle();
    await sayWhenBusy(tell);
    const wanted = { system: 'payymo', scenario: 'regionalLoss', params: {} } as const;
    return withRun(state, wanted, (session, run) =>
      seeThrough(session, run, state, ({ steps, serviceRestoredBy }) =>
        steps.every(
          ({ name, status }) =>
            status === 'done' || !(name === serviceRestoredBy || partOf(name) !== undefined),
        ),
      ),
    );
  });
}

/** Milliseconds until the service is back and every file was held against its row, without those in which people were awaited. */
function wholeOf({ clock, steps, serviceRestoredBy }: RunView): number {
  const ends = steps
    .filter(({ name }) => name === serviceRestoredBy || partOf(name) !== undefined)
    .map(({ endedAt = '' }) => Date.parse(endedAt));
  return Math.max(...ends) - Date.parse(clock.startedAt) - clock.waitingMs;
}

/** Milliseconds in which something of a part was under way. */
export function partsOf({ steps }: Pick<RunView, 'steps'>): Readonly<Record<string, number>> {
  const took = Object.keys(PARTS).map((part): [string, number] => [
    part,
    coveredMs(steps.filter(({ name, status }) => partOf(name) === part && status === 'done')),
  ]);
  return Object.fromEntries(took);
}

function partOf(step: string): string | undefined {
  return Object.keys(PARTS).find((part) => PARTS[part]?.test(step));
}

/** Time in which at least one of the steps was under way. */
function coveredMs(steps: readonly Pick<StepView, 'startedAt' | 'endedAt'>[]): number {
  const spans = steps
    .map(({ startedAt = '', endedAt = '' }) => [Date.parse(startedAt), Date.parse(endedAt)] as const)
    .sort(([one], [other]) => one - other);
  let [sum, until] = [0, Number.NEGATIVE_INFINITY];
  for (const [from, to] of spans) {
    sum += Math.max(0, to - Math.max(from, until));
    until = Math.max(until, to);
  }
  return sum;
}

function longestOf(parts: Readonly<Record<string, number>>): readonly [string, number] {
  const [longest] = Object.entries(parts).sort(([, one], [, other]) => other - one);
  return longest ?? ['', 0];
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
