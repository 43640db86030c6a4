/**
 * Tells people and programs what happens, beside the run: each notice goes to a workflow of its own that outlives it, and
 * the run hears what became of it while it lives. Without channels in the runbook nothing is started at all.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  defineSignal,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import { messageOf } from '../../src/errors.js';
import type { Delivery, Notice, Receiver } from '../../src/model/notice.js';
import type { RunInput, RunView } from '../../src/model/run.js';
import type { Runbook } from '../../src/runbook/schema.js';
import type { deliverNotice } from '../deliver-notice.js';
import { cut } from './io.js';
import type { Compose } from './notice-parts.js';
import { receiversOf } from './receivers.js';

/** How every notice of a workflow stands at its receivers; sent by its delivery when something is not as hoped. */
export const deliverySignal = defineSignal<[readonly Delivery[]]>('noticeDelivery');

/** What has been on its way for less is no news. */
const ON_ITS_WAY_MS = 10_000;
/** A view has to fit into a message: the newest are shown. */
const MOST_SHOWN = 50;

export interface NoticeSurroundings {
  readonly input: Pick<RunInput<Runbook, unknown>, 'runId' | 'runbook' | 'adoption'>;
  /** The run as it stands; only asked for when somebody is to be told. */
  readonly view: () => RunView;
  /** Writes into the journal who was told, and who could not be. */
  readonly note: (text: string, step: string | undefined) => void;
}

export class NoticeBoard {
  /** By notice and receiver; what is delivered is not kept. */
  private readonly standing = new Map<string, Delivery>();
  private readonly idBegin: string;
  private count = 0;
  private beginning = 0;

  constructor(private readonly around: NoticeSurroundings) {
    const { runId, runbook, adoption } = around.input;
    // Numbers begin anew on another server, and no receiver may take a new notice for an old one.
    this.idBegin = adoption === undefined ? `${runId}-n` : `${runId}-e${adoption.entries}-n`;
    if (Object.keys(runbook.notifications ?? {}).length > 0) {
      setHandler(deliverySignal, (deliveries) => this.learn(deliveries), {
        description: 'For Muster itself: how notices of this run stand at their receivers.',
      });
    }
  }

  /** Tells whoever the runbook names for this. Returns at once; nothing that goes wrong with it reaches the run. */
  tell(compose: Compose): void {
    const { runbook } = this.around.input;
    if (Object.keys(runbook.notifications ?? {}).length === 0) return;
    const view = this.around.view();
    const draft = compose({ view, people: runbook.people });
    const receivers = receiversOf(runbook, draft.kind, draft.to);
    if (receivers.length === 0) return;
    this.count += 1;
    const { runId, system, systemTitle, scenario, mode } = view;
    const at = new Date(Date.now()).toISOString();
    const id = `${this.idBegin}${this.count}`;
    const notice: Notice = { ...draft, id, at, runId, system, systemTitle, scenario, mode };
    for (const { name } of receivers) {
      this.stand({ notice: id, kind: notice.kind, receiver: name, state: 'waiting', at });
    }
    this.around.note(
      `${notice.kind}: ${notice.title} Told: ${receivers.map(({ name }) => name).join(', ')}`,
      notice.step,
    );
    // Whoever asks may be cancelled; what happened is told all the same.
    void CancellationScope.nonCancellable(() => this.deliver(notice, receivers));
  }

  /** What is not delivered yet, or never will be. */
  get undelivered(): readonly Delivery[] {
    const now = Date.now();
    return [...this.standing.values()]
      .filter((each) => each.problem !== undefined || now - Date.parse(each.at) > ON_ITS_WAY_MS)
      .slice(-MOST_SHOWN);
  }

  /**
   * Returns once every notice is in the hands of its own workflow: from then on the run may end.
   * @param patienceMs how long that is waited for
   */
  async handedOver(patienceMs: number): Promise<void> {
    if (this.beginning === 0) return;
    await condition(() => this.beginning === 0, patienceMs, {
      summary: 'notices: handed over to their own workflows',
    });
  }

  private async deliver(notice: Notice, receivers: readonly Receiver[]): Promise<void> {
    let begun = false;
    const begins = (change: 1 | -1) => {
      this.beginning += change;
      begun = change === -1;
    };
    begins(1);
    try {
      const child = await startChild<typeof deliverNotice>('deliverNotice', {
        workflowId: `notice.${notice.id}`,
        args: [{ notice, receivers }],
        parentClosePolicy: 'ABANDON',
        staticSummary: cut(`${notice.kind}: ${notice.title}`, 200),
      });
      begins(-1);
      this.learn(await child.result());
    } catch (error) {
      if (!begun) begins(-1);
      // Its delivery was begun before, and goes on.
      if (error instanceof WorkflowExecutionAlreadyStartedError) this.forget(notice.id);
      else this.giveUp(notice, error);
    }
  }

  private learn(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      const before = this.standing.get(keyOf(delivery));
      // A signal may come from anybody: only what was sent here is taken in.
      if (before === undefined || before.state === 'given-up') continue;
      this.stand(delivery);
      if (delivery.state !== 'given-up') continue;
      const why = delivery.problem ?? 'unknown';
      this.around.note(`${delivery.kind}: ${delivery.receiver} is not told any more: ${why}`, undefined);
    }
  }

  private stand(delivery: Delivery): void {
    if (delivery.state === 'delivered') this.standing.delete(keyOf(delivery));
    else this.standing.set(keyOf(delivery), delivery);
  }

  private forget(notice: string): void {
    for (const [key, each] of this.standing) if (each.notice === notice) this.standing.delete(key);
  }

  private giveUp(notice: Notice, error: unknown): void {
    const why = error instanceof ChildWorkflowFailure ? messageOf(error.cause) : messageOf(error);
    const at = new Date(Date.now()).toISOString();
    this.learn(
      [...this.standing.values()]
        .filter((each) => each.notice === notice.id)
        .map((each) => ({ ...each, state: 'given-up', at, problem: `its delivery was ended: ${why}` })),
    );
  }
}

function keyOf({ notice, receiver }: Delivery): string {
  return `${notice} ${receiver}`;
}
