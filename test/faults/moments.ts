/** Finds the moment of a case by what is seen of the run: what Temporal hands out, what processes run, what the world shows. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/eventually.js';
import { freeze } from '../support/faults.js';
import { onLedger } from '../support/lab.js';
import { recordInDns } from '../support/record.js';
import type { Moment, Sign } from './cases.js';
import type { AnswerFate, HandedTask } from './proxy.js';
import type { Holder, Interludes, Stage } from './stage.js';
import type { FaultyWorker } from './workers.js';

/** The moment has come. */
export interface Reached {
  /** Whose it is, and in whose hands. */
  readonly task?: HandedTask;
  readonly worker?: FaultyWorker;
  /** What was held goes on: called when the fault has struck. */
  readonly proceed: () => void;
  /** What becomes of the answer that is held, where one is. */
  readonly answer: (fate: AnswerFate) => void;
}

export interface Watch {
  readonly interludes: Interludes;
  /** Looks no longer. */
  readonly stop: () => void;
}

type Meet = (reached: Reached) => Promise<void>;

const nothing = () => undefined;
const bare: Reached = { proceed: nothing, answer: nothing };
const LOOK_EVERY_MS = 5;

/**
 * @param strike called at the moment itself; whoever acts next waits for it, so that nothing slips in between
 */
export function watchFor(stage: Stage, moment: Moment, strike: Meet): Watch {
  let met = false;
  const stops: (() => void)[] = [];
  const stop = () => stops.forEach((end) => void end());
  const meet: Meet = async (found) => {
    if (met) {
      found.proceed();
      found.answer('forward');
      return;
    }
    met = true;
    stop();
    await strike(found);
  };
  const interludes: Interludes = {};
  const middle = { meet, stops, interludes };
  if (moment.at === 'gate') {
    interludes.beforeApproval = async (gate) => {
      if (gate === moment.gate) await meet(bare);
    };
  } else if (moment.at === 'approved') {
    interludes.afterApproval = async (gate) => {
      if (gate === moment.gate) await meet(bare);
    };
  } else if (moment.at === 'begin') {
    stops.push(
      stage.listen((event, worker) => {
        if (isOf(event, moment.step) && event.what === 'handed') void meet({ ...bare, task: event, worker });
      }),
    );
  } else if (moment.at === 'effect') {
    stops.push(holdAnswer(stage, moment.step, meet));
  } else {
    watchMiddle(stage, moment.step, moment.sign, middle);
  }
  return { interludes, stop };
}

function isOf(task: HandedTask, step: string): boolean {
  return task.activityId.startsWith(`${step}.`);
}

/** The answer waits until the fault has struck. @returns what ends that */
function holdAnswer(stage: Stage, step: string, meet: Meet): () => void {
  const holder: Holder = (task, worker) => {
    if (!isOf(task, step)) return undefined;
    return new Promise((answer) => void meet({ task, worker, proceed: nothing, answer }));
  };
  stage.holders.add(holder);
  return () => void stage.holders.delete(holder);
}

interface Middle {
  readonly meet: Meet;
  readonly stops: (() => void)[];
  readonly interludes: Interludes;
}

function watchMiddle(stage: Stage, step: string, sign: Sign, { meet, stops, interludes }: Middle): void {
  if ('world' in sign && sign.world === 'promotion-under-way') {
    interludes.beforeApproval = async (gate) => {
      if (gate === 'promote') void holdPromotion(stage, meet);
    };
    return;
  }
  if ('heartbeats' in sign) {
    let beats = 0;
    const unlisten = stage.listen((event, worker) => {
      if (!isOf(event, step) || event.what !== 'heartbeat') return;
      beats += 1;
      if (beats === sign.heartbeats) void meet({ ...bare, task: event, worker });
    });
    // Too short for as many: its answer is still before the end of the step.
    stops.push(unlisten, holdAnswer(stage, step, meet));
    return;
  }
  const looks = new Set<string>();
  const look = async (task: HandedTask, worker: FaultyWorker): Promise<void> => {
    const there = 'program' in sign ? () => runs(worker, sign.program) : inWorld(stage, sign);
    while (looks.has(task.activityId)) {
      if (await there().catch(() => false)) return meet({ ...bare, task, worker });
      await new Promise((later) => setTimeout(later, LOOK_EVERY_MS));
    }
  };
  const unlisten = stage.listen((event, worker) => {
    if (!isOf(event, step)) return;
    if (event.what === 'handed') {
      looks.add(event.activityId);
      void look(event, worker);
    } else if (event.what !== 'heartbeat') {
      looks.delete(event.activityId);
    }
  });
  stops.push(unlisten, () => looks.clear());
}

async function runs(worker: FaultyWorker, program: string): Promise<boolean> {
  return (await worker.programs()).includes(program);
}

function inWorld(stage: Stage, sign: Sign): () => Promise<boolean> {
  const { state } = stage.lab;
  const { recovery } = state.ledger.sites;
  const world = 'world' in sign ? sign.world : undefined;
  if (world === 'replay-runs') return async () => existsSync(join(recovery.dataDir, 'postmaster.pid'));
  if (world === 'record-changed') {
    return async () => (await recordInDns(state)).values.includes(recovery.address);
  }
  return async () => (await stage.incident.claims()).some(({ kind }) => kind === 'fence');
}

/** The copy's own process of recovery stands still while it is told to end recovery, so that this is seen under way. */
async function holdPromotion(stage: Stage, meet: Meet): Promise<void> {
  const { admin, sites } = stage.lab.state.ledger;
  await onLedger(
    stage.lab.state,
    admin,
    async (copy) => {
      const processOf = (condition: string) =>
        eventually(async () => {
          const { rows } = await copy.query(`select pid from pg_stat_activity where ${condition}`);
          if (rows[0] === undefined) throw new Error(`no process with ${condition}`);
          return rows[0].pid as number;
        }, 120_000);
      const thaw = freeze(await processOf("backend_type = 'startup'"));
      try {
        await processOf("query like '%pg_promote%' and state = 'active' and pid <> pg_backend_pid()");
        await meet({ ...bare, proceed: thaw });
      } finally {
        thaw();
      }
    },
    sites.recovery,
  );
}
