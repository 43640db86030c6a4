/** Finds the moment of a case by what is seen of the run: what Temporal hands out, what processes run, what the world shows. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freeze } from '../support/faults.js';
import { eventually, onLedger } from '../support/lab.js';
import { recordInDns } from '../support/record.js';
import type { Moment, Sign } from './cases.js';
import type { AnswerFate, HandedTask, TaskEvent } from './proxy.js';
import type { Interludes, Stage } from './stage.js';

/** The moment has come. */
export interface Reached {
  /** Whose it is. */
  readonly task?: HandedTask;
  /** What was held goes on: called when the fault has struck. */
  readonly proceed: () => void;
  /** What becomes of the answer that is held, where one is. */
  readonly answer: (fate: AnswerFate) => void;
}

export interface Watch {
  readonly reached: Promise<Reached>;
  readonly interludes: Interludes;
  /** Looks no longer. */
  readonly stop: () => void;
}

const nothing = () => undefined;
const bare: Reached = { proceed: nothing, answer: nothing };
const LOOK_EVERY_MS = 5;

/**
 * @param strike called at the moment itself; whoever acts next waits for it, so that nothing slips in between
 */
export function watchFor(stage: Stage, moment: Moment, strike: (reached: Reached) => Promise<void>): Watch {
  let met = false;
  let tell: (reached: Reached) => void = nothing;
  const reached = new Promise<Reached>((resolve) => {
    tell = resolve;
  });
  const stops: (() => void)[] = [];
  const meet = async (found: Reached): Promise<void> => {
    if (met) return;
    met = true;
    for (const stop of stops) stop();
    tell(found);
    await strike(found);
  };
  const interludes: Interludes = {};
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
      stage.listen((event) => void (isOf(event, moment.step, 'handed') && meet({ ...bare, task: event }))),
    );
  } else if (moment.at === 'effect') {
    holdAnswer(stage, moment.step, meet);
  } else {
    watchMiddle(stage, moment.step, moment.sign, { meet, stops, interludes });
  }
  return { reached, interludes, stop: () => stops.forEach((stop) => void stop()) };
}

function isOf(event: TaskEvent, step: string, what: TaskEvent['what']): boolean {
  return event.what === what && event.activityId.startsWith(`${step}.`);
}

function holdAnswer(stage: Stage, step: string, meet: (reached: Reached) => Promise<void>): void {
  const { proxy } = stage.worker;
  proxy.onCompleting = (task) => {
    if (!task.activityId.startsWith(`${step}.`)) return 'forward';
    proxy.onCompleting = () => 'forward';
    return new Promise((answer) => void meet({ task, proceed: nothing, answer }));
  };
}

interface Middle {
  readonly meet: (reached: Reached) => Promise<void>;
  readonly stops: (() => void)[];
  readonly interludes: Interludes;
}

function watchMiddle(stage: Stage, step: string, sign: Sign, middle: Middle): void {
  let looking = true;
  middle.stops.push(() => {
    looking = false;
  });
  let beats = 0;
  const stop = stage.listen((event) => {
    if (isOf(event, step, 'heartbeat')) {
      beats += 1;
      if ('heartbeats' in sign && beats === sign.heartbeats) void middle.meet({ ...bare, task: event });
    }
    // Too short for a second heartbeat: its end is still before the end of the step.
    if (isOf(event, step, 'completing') && 'heartbeats' in sign) void middle.meet({ ...bare, task: event });
    if (isOf(event, step, 'handed') && !('heartbeats' in sign)) void look(event);
  });
  middle.stops.push(stop);
  if ('world' in sign && sign.world === 'promotion-under-way') {
    middle.interludes.beforeApproval = async (gate) => {
      if (gate === 'promote') void holdPromotion(stage, middle.meet);
    };
    return;
  }
  const look = async (task: HandedTask): Promise<void> => {
    const there = 'program' in sign ? () => runs(stage, sign.program) : inWorld(stage, sign);
    while (looking) {
      if (await there().catch(() => false)) return middle.meet({ ...bare, task });
      await new Promise((later) => setTimeout(later, LOOK_EVERY_MS));
    }
  };
}

async function runs(stage: Stage, program: string): Promise<boolean> {
  return (await stage.worker.programs()).includes(program);
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
async function holdPromotion(stage: Stage, meet: (reached: Reached) => Promise<void>): Promise<void> {
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
