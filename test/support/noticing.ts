/** Workflows that tell notices as a run does, and end when they are told to. */
import { condition, defineQuery, defineSignal, setHandler, sleep } from '@temporalio/workflow';
import type { Delivery } from '../../src/model/notice.js';
import type { RunView } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { type Breach, BreachWatch } from '../../workflows/engine/breach-watch.js';
import type { Compose } from '../../workflows/engine/notice-parts.js';
import { NoticeBoard } from '../../workflows/engine/notices.js';
import { gateOpened } from '../../workflows/engine/notices-of-decisions.js';
import { ended, started } from '../../workflows/engine/notices-of-run.js';

export interface Noticing {
  readonly runbook: Runbook;
  readonly view: RunView;
}

const texts: Record<string, () => Compose> = { started, gateOpened: () => gateOpened('gate-point'), ended };

export const tellSignal = defineSignal<[keyof typeof texts]>('tell');
export const endSignal = defineSignal('end');
export const undeliveredQuery = defineQuery<readonly Delivery[]>('undelivered');

export interface Noticed {
  readonly notes: readonly string[];
  readonly undelivered: readonly Delivery[];
}

export async function noticing({ runbook, view }: Noticing): Promise<Noticed> {
  const notes: string[] = [];
  const board = new NoticeBoard({
    input: { runId: view.runId, runbook },
    view: () => view,
    note: (text) => notes.push(text),
  });
  let over = false;
  setHandler(tellSignal, (text) => board.tell((texts[text] ?? started)()));
  setHandler(endSignal, () => {
    over = true;
  });
  setHandler(undeliveredQuery, () => board.undelivered);
  await condition(() => over);
  await board.handedOver(5_000);
  return { notes, undelivered: board.undelivered };
}

/** Watches a run in which nothing changes but time, for as long as is said. */
export async function watchingTime(view: RunView, forMs: number): Promise<(Breach & { at: number })[]> {
  const said: (Breach & { at: number })[] = [];
  const watch = new BreachWatch(
    () => view,
    () => ({}),
    (breach) => said.push({ ...breach, at: Date.now() }),
  );
  watch.look();
  watch.look();
  await sleep(forMs);
  watch.look();
  watch.stop();
  return said;
}
