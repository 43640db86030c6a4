/** Looks at the world, the store's rows and Temporal's history after a recovery. */
import type { Promotion } from '../../activities/contract.js';
import { layoutOf } from '../../lab/layout.js';
import type { RunResult } from '../../src/model/run.js';
import {
  claimsInVault,
  copyOf,
  namesOf,
  oldPrimary,
  paymentsOf,
  type Scene,
} from '../support/after-recovery.js';
import { APPROVER, stepOf } from '../support/incident.js';
import { type Facts, wrongIn } from './check.js';
import { lookAtJournal } from './journal.js';
import type { Stage } from './stage.js';

/** What store and bucket did not take at once follows every five seconds; a busy machine may need several turns. */
const JOURNAL_MS = 60_000;
const AGAIN_MS = 1_000;

/** @returns everything that is not as it must be after a recovery; nothing is how it must be */
export async function wrongAfter(stage: Stage, result: RunResult): Promise<readonly string[]> {
  const deadline = Date.now() + JOURNAL_MS;
  if (result.view.status !== 'recovered') return [`the run ended ${result.view.status}`];
  const world = await lookAtWorld(stage, result);
  for (;;) {
    const wrong = wrongIn({ ...world, journal: await lookAtJournal(stage) });
    if (wrong.length === 0 || Date.now() > deadline) return wrong;
    await new Promise((later) => setTimeout(later, AGAIN_MS));
  }
}

async function lookAtWorld(stage: Stage, result: RunResult): Promise<Omit<Facts, 'journal'>> {
  const { view, outputs } = result;
  const { lab, incident, paidBefore } = stage;
  const scene: Scene = { lab, incident, paidBefore, from: 'west', to: 'recovery' };
  const [claims, copy, old, payments, names] = await Promise.all([
    claimsInVault(scene),
    copyOf(scene, outputs.promote as Promotion),
    oldPrimary(scene),
    paymentsOf(scene, result),
    namesOf(scene),
  ]);
  const approvals = stage.approvals.map(({ gate }) => ({
    gate,
    counted: stepOf(view, `gate-${gate}`).decisions.filter(
      ({ choice, by }) => choice === 'approve' && by === APPROVER,
    ).length,
  }));
  return { status: view.status, claims, copy, old, payments, names, approvals };
}

/** Where the lab keeps what its parts said: for a case that went wrong. */
export function logsOf({ lab }: Stage): string {
  return layoutOf(lab.dir).logs;
}
