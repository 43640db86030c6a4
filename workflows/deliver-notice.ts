/** Delivers one notice to its receivers, for as long as it may take: outlives the run that sent it. */
import {
  ActivityFailure,
  ApplicationFailure,
  defineQuery,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  TimeoutFailure,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { MusterActivities } from '../activities/contract.js';
import { messageOf } from '../src/errors.js';
import type { Delivery, Notice, Receiver } from '../src/model/notice.js';
import { searchAttributes } from '../src/model/search-attributes.js';
import { cut } from './engine/io.js';
import { deliverySignal } from './engine/notices.js';

/** How long is waited between attempts, and when it is no use any more; milliseconds. */
export interface Pace {
  readonly firstMs: number;
  readonly mostMs: number;
  readonly giveUpAfterMs: number;
}

export interface NoticeToDeliver {
  readonly notice: Notice;
  readonly receivers: readonly Receiver[];
  readonly pace?: Pace;
}

const PACE: Pace = { firstMs: 1_000, mostMs: 5 * 60_000, giveUpAfterMs: 24 * 3_600_000 };

const deliveriesQuery = defineQuery<readonly Delivery[]>('deliveries');

/** Attempts that the server makes before the workflow looks at what went wrong: a long outage must not fill the history. */
const ROUND = 5;

/**
 * Tells every receiver at once and each on its own, and tries again until it is told, refuses for good, or the notice is too
 * old. Whenever a receiver cannot be told, the run that sent the notice hears of it, while it lives.
 *
 * @returns how the notice stands at each receiver, in their order
 */
export async function deliverNotice({
  notice,
  receivers,
  pace = PACE,
}: NoticeToDeliver): Promise<Delivery[]> {
  const post = new Deliveries(notice, receivers);
  setHandler(deliveriesQuery, () => post.all, { description: 'How the notice stands at each receiver.' });
  // Searches for a system list its runs: the system is left out here.
  upsertSearchAttributes([
    { key: searchAttributes.mode, value: notice.mode },
    { key: searchAttributes.scenario, value: notice.scenario },
    { key: searchAttributes.status, value: 'running' },
  ]);
  post.show();
  const until = Date.now() + pace.giveUpAfterMs;
  await Promise.all(receivers.map((receiver) => deliverTo(notice, receiver, { pace, until }, post)));
  await post.told;
  const status = post.all.some(({ state }) => state === 'given-up') ? 'failed' : 'delivered';
  upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
  return [...post.all];
}

interface Limits {
  readonly pace: Pace;
  /** Milliseconds since 1970. */
  readonly until: number;
}

async function deliverTo(
  notice: Notice,
  receiver: Receiver,
  limits: Limits,
  post: Deliveries,
): Promise<void> {
  const { pace, until } = limits;
  const longer = (ms: number, times: number) => Math.min(pace.mostMs, ms * 2 ** times);
  let waitMs = pace.firstMs;
  let answered: string | undefined;
  for (let attempts = 1; ; attempts = ROUND) {
    try {
      await send({ notice, receiver }, { attempts, waitMs, mostMs: pace.mostMs, leftMs: until - Date.now() });
      post.stands(receiver, { state: 'delivered' });
      return;
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      // That time ran out says less than what the receiver answered before.
      if (!(error.cause instanceof TimeoutFailure)) answered = messageOf(error.cause);
      const problem = answered ?? messageOf(error.cause);
      const pauseMs = Math.max(longer(waitMs, attempts - 1), askedToWait(error.cause));
      const forGood = error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true;
      if (forGood || Date.now() + pauseMs >= until) {
        post.stands(receiver, { state: 'given-up', problem });
        return;
      }
      post.stands(receiver, { state: 'waiting', problem });
      await sleep(pauseMs, { summary: cut(`${receiver.name} again: ${problem}`, 200) });
      waitMs = longer(waitMs, attempts);
    }
  }
}

function send(
  input: { notice: Notice; receiver: Receiver },
  round: { attempts: number; waitMs: number; mostMs: number; leftMs: number },
): Promise<unknown> {
  const { sendNotice } = proxyActivities<Pick<MusterActivities, 'sendNotice'>>({
    startToCloseTimeout: '30 s',
    heartbeatTimeout: '10 s',
    scheduleToCloseTimeout: Math.max(1_000, round.leftMs),
    retry: {
      initialInterval: round.waitMs,
      maximumInterval: round.mostMs,
      backoffCoefficient: 2,
      maximumAttempts: round.attempts,
    },
  });
  const summary = cut(`tell ${input.receiver.name}: ${input.notice.title}`, 200);
  return sendNotice.executeWithOptions({ summary }, [input]);
}

/** What a receiver asked for with its last answer (Retry-After), in milliseconds. */
function askedToWait(cause: Error | undefined): number {
  if (!(cause instanceof ApplicationFailure)) return 0;
  const [details] = (cause.details ?? []) as readonly ({ retryAfterMs?: unknown } | undefined)[];
  return typeof details?.retryAfterMs === 'number' ? details.retryAfterMs : 0;
}

/** How the notice stands at each receiver, and who is told of that. */
class Deliveries {
  private readonly standing: Delivery[];
  private readonly parent = workflowInfo().parent;
  private troubled = false;
  private telling = false;
  private news = false;
  /** Resolves when the run has heard the newest. */
  told: Promise<void> = Promise.resolve();

  constructor(
    private readonly notice: Notice,
    private readonly receivers: readonly Receiver[],
  ) {
    const at = new Date(Date.now()).toISOString();
    this.standing = receivers.map(({ name }) => ({
      notice: notice.id,
      kind: notice.kind,
      receiver: name,
      state: 'waiting',
      at,
    }));
  }

  get all(): readonly Delivery[] {
    return this.standing;
  }

  stands(receiver: Receiver, now: Pick<Delivery, 'state' | 'problem'>): void {
    const index = this.receivers.indexOf(receiver);
    const { problem: _before, ...delivery } = this.standing[index] as Delivery;
    this.standing[index] = { ...delivery, ...now, at: new Date(Date.now()).toISOString() };
    this.troubled ||= now.problem !== undefined;
    this.news = true;
    this.show();
    // What is delivered at once the run learns from the result.
    if (this.troubled && !this.telling) this.told = this.tell();
  }

  show(): void {
    const rows = this.standing.map(
      ({ receiver, state, at, problem }) => `| ${state} | ${receiver} | ${at} | ${problem ?? ''} |`,
    );
    setCurrentDetails(
      [
        `**${this.notice.systemTitle}: ${this.notice.title}**`,
        '',
        '| state | receiver | at | problem |',
        '|---|---|---|---|',
        ...rows,
      ].join('\n'),
    );
  }

  private async tell(): Promise<void> {
    if (this.parent === undefined) return;
    this.telling = true;
    try {
      while (this.news) {
        this.news = false;
        const { workflowId, runId } = this.parent;
        await getExternalWorkflowHandle(workflowId, runId).signal(deliverySignal, this.all);
      }
      this.telling = false;
    } catch {
      // The run has ended. Nobody listens any more: it stays as if telling.
    }
  }
}
