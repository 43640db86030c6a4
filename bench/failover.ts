/**
 * The zone of the primary is lost, and its standby takes over: from the last approval until a payment succeeds at the new place,
 * beside bare pg_promote and the same DNS change.
 */
import { breakZone } from '../lab/break/az-loss.js';
import { waitForPayments } from '../lab/demo/payments.js';
import type { LabState } from '../lab/state.js';
import { changeRecord } from './by-hand/cutover.js';
import { ask, type Hand, psql, takeInHand } from './by-hand/hand.js';
import { must, type } from './by-hand/shell.js';
import { settle, withLab } from './labs.js';
import { compare, type Measurement } from './measurement.js';
import { seeThrough, withRun } from './muster.js';
import { databaseInUse, untilPaid } from './paying.js';
import type { Settings } from './settings.js';
import { addTo } from './statistics.js';

const LIMIT = 1.5;
const LONGEST_MS = 5_000;
/** How long promoting takes does not depend on how much there is. */
const TRANSACTIONS = 20_000;

type Side = (state: LabState, hand: Hand, tell: Settings['tell']) => Promise<number>;

export async function measureFailover({ runs, say, tell }: Settings): Promise<Measurement[]> {
  const times: Record<string, number[]> = {};
  const sides: readonly (readonly [string, 'when-built' | 'none', Side])[] = [
    ['muster', 'when-built', byMuster],
    ['bare', 'none', byHand],
  ];
  for (let run = 0; run < runs; run += 1) {
    for (const [name, worker, failOver] of run % 2 === 0 ? sides : [...sides].reverse()) {
      const size = { transactions: TRANSACTIONS, sizeBytes: 0 };
      const ms = await withLab({ worker, size, standby: 'raised', log: tell }, async (state) => {
        await waitForPayments(state, 20);
        // Nothing is known to be good: nothing is damaged.
        const hand = await takeInHand(state, { startedAt: '' });
        await breakZone(state);
        await settle();
        return failOver(state, hand, tell);
      });
      addTo(times, name, ms);
      say(`failover, ${name}: ${(ms / 1000).toFixed(2)} s`);
    }
  }
  const muster = { name: 'musterMs', values: times.muster ?? [] };
  return [
    compare('failover', LIMIT, runs, [muster, { name: 'bareMs', values: times.bare ?? [] }]),
    compare('failover-time', 1, runs, [muster, { name: 'limitMs', values: [LONGEST_MS] }]),
  ];
}

/** Looked at, fenced, caught up and verified before: what is measured begins when the last approval is sent. */
function byMuster(state: LabState, hand: Hand, tell: Settings['tell']): Promise<number> {
  const wanted = { system: 'payymo', scenario: 'azLoss', params: {} } as const;
  return withRun(state, wanted, async (session, run) => {
    let ms: number | undefined;
    let approvedAt = 0;
    let paying: Promise<unknown> | undefined;
    const { steps } = await seeThrough(session, run, state, () => ms !== undefined, {
      decides: ({ gate }) => {
        if (gate !== 'promote') return;
        const approved = performance.now();
        approvedAt = Date.now();
        paying ??= untilPaid(state).then((paid) => {
          ms = paid - approved;
        });
        paying.catch(() => undefined);
      },
    });
    await paying;
    for (const { name, startedAt, endedAt } of steps) {
      if (Date.parse(startedAt ?? '') >= approvedAt)
        tell(`${name}: ${since(approvedAt, startedAt)} to ${since(approvedAt, endedAt)}`);
    }
    return atStandby(state, hand, ms ?? Number.NaN);
  });
}

function since(fromMs: number, at: string | undefined): string {
  return at === undefined ? 'now' : `${Date.parse(at) - fromMs} ms`;
}

async function byHand(state: LabState, hand: Hand, tell: Settings['tell']): Promise<number> {
  const { runbook, record, old, application } = hand;
  const standby = runbook.sites.standby?.postgres;
  if (standby === undefined) throw new TypeError('the runbook has no standby');
  await deploy(application);
  const begun = performance.now();
  const paid = untilPaid(state);
  paid.catch(() => undefined);
  await psql(hand, standby, async (client) => {
    const { promoted } = await ask<{ promoted: boolean }>(client, 'select pg_promote(true, 60) as promoted');
    must(promoted, 'it was promoted');
  });
  tell(`promoted after ${Math.round(performance.now() - begun)} ms`);
  await changeRecord(hand, old.host, { value: standby.host, ttl: record.recoveryTtl });
  tell(`resolvers follow after ${Math.round(performance.now() - begun)} ms`);
  return atStandby(state, hand, (await paid) - begun);
}

async function atStandby(state: LabState, { runbook }: Hand, ms: number): Promise<number> {
  must((await databaseInUse(state)) === runbook.sites.standby?.postgres?.host, 'payments go to the standby');
  return ms;
}

/** The application was lost with the zone: it is brought up elsewhere before anything is promoted, by either side. */
async function deploy({ deploy: how }: Hand['application']): Promise<void> {
  if (how?.driver !== 'command')
    throw new TypeError('the runbook does not say how the application is deployed');
  const [program = '', ...args] = how.command;
  const { HOME = '/', XDG_CACHE_HOME } = process.env;
  const ours = { HOME, ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }) };
  await type(program, args, { env: { ...ours, ...how.environment, MUSTER_SITE: 'standby' }, input: '' });
}
