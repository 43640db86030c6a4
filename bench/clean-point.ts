/** The search for the newest clean point when nobody can date the damage: how many restores it takes. */
import { pointActivities } from '../activities/point/index.js';
import { breakCorruption } from '../lab/break/corruption.js';
import { waitForPayments } from '../lab/demo/payments.js';
import { pgbackrestOf } from '../src/runbook/backups.js';
import { type Hand, pgbackrestFor, takeInHand } from './by-hand/hand.js';
import { must, type } from './by-hand/shell.js';
import { withLab } from './labs.js';
import { compare, type Measurement } from './measurement.js';
import type { Settings } from './settings.js';
import { median } from './statistics.js';

const LIMIT = 1;
const TRANSACTIONS = 20_000;
/** Backups before and after the damage, with payments in between. */
const GOOD = 4;
const BAD = 3;
const PAYMENTS = 15;

type Search = Awaited<ReturnType<typeof search>>;

export async function measureCleanPoint({ runs, say, tell }: Settings): Promise<Measurement> {
  const found: Search[] = [];
  for (let run = 0; run < runs; run += 1) {
    const size = { transactions: TRANSACTIONS, sizeBytes: 0 };
    const one = await withLab({ worker: 'none', size, log: tell }, async (state) => {
      const hand = await takeInHand(state, { startedAt: '' });
      const live = async (backups: number) => {
        for (let taken = 0; taken < backups; taken += 1) {
          await waitForPayments(state, PAYMENTS);
          await backUp(hand);
        }
        await waitForPayments(state, PAYMENTS);
      };
      await live(GOOD);
      const damage = await breakCorruption(state);
      await live(BAD);
      const searched = await search(hand, run);
      must(
        searched.firstBad.at > damage.startedAt && searched.firstBad.at < damage.finishedAt,
        'the first bad commit is one of the bad change',
      );
      return searched;
    });
    const { backups, segments, commits } = one.candidates;
    say(
      `clean point: ${one.restores} restores, ${one.looks} looks in ${(one.durationMs / 1000).toFixed(1)} s, among ${backups} backups, ${segments} segments and ${commits} commits`,
    );
    found.push(one);
  }
  const measured = compare('clean-point', LIMIT, runs, [
    { name: 'restores', values: found.map(({ restores }) => restores) },
    { name: 'log2Candidates', values: found.map(({ candidates }) => halvingsOf(candidates)) },
  ]);
  const looks = median(found.map((one) => one.looks));
  return {
    ...measured,
    raw: { ...measured.raw, looks, searchMs: median(found.map((one) => one.durationMs)) },
  };
}

/** How often what there is to tell apart can be halved: a backup, a segment of its WAL, a commit in that. */
export function halvingsOf({ backups, segments, commits }: Search['candidates']): number {
  return [backups, segments, commits].reduce((sum, count) => sum + Math.log2(Math.max(1, count)), 0);
}

async function search(hand: Hand, run: number) {
  const { runbook, old, target } = hand;
  const backup = pgbackrestOf(runbook, 'ledger');
  if (backup === undefined) throw new TypeError('the runbook names no backup of the ledger');
  const { search: searched } = await pointActivities().searchPoint({
    at: {
      ...{ runId: `bench-search-${run}`, system: 'payymo', scenario: 'corruption' },
      ...{ mode: 'real', step: 'propose-point' },
    },
    damaged: { site: 'west', postgres: old },
    target: { site: 'recovery', postgres: target },
    backup,
    invariants: runbook.verification.invariants,
    dataClasses: runbook.objectives.dataClasses,
  });
  if (searched === undefined) throw new Error('nothing was searched');
  return searched;
}

/** As the owner's schedule does it every hour. */
async function backUp(hand: Hand): Promise<void> {
  const { dataDirectory, socketDirectory } = hand.old.service;
  await type(
    'pgbackrest',
    [
      ...[...pgbackrestFor(hand, hand.old), '--repo=1', `--pg1-path=${dataDirectory}`],
      ...[`--pg1-port=${hand.old.port}`, `--pg1-socket-path=${socketDirectory}`],
      ...['--type=incr', '--start-fast', '--no-expire-auto', 'backup'],
    ],
    { as: 'database' },
  );
}
