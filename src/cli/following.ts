/** Following a run until it ends, whoever is away meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import type { RunView } from '../model/run.js';
import type { Look } from '../temporal/observe.js';
import type { StepActivity } from '../temporal/progress.js';

const LOOK_EVERY_MS = 1_000;
const DRAW_EVERY_MS = 500;
/** Looks may fail now and then; this long without an answer is told. */
const SILENT_AFTER_MS = 3_000;

/** What has been seen last. */
export interface Seen {
  readonly view: RunView;
  readonly activity: Readonly<Record<string, StepActivity>>;
  readonly outputs?: Look['outputs'];
  readonly silence?: { readonly what: string; readonly sinceMs: number } | undefined;
}

/** Where a watch shows what it sees. */
export interface WatchSink {
  /** Called at least twice a second; `undefined` until the run has answered for the first time. */
  show(seen: Seen | undefined, trouble: string | undefined, now: number): void;
  /** The last that will be seen, and what else is to be said. */
  end(seen: Seen | undefined, remark: string | undefined, now: number): void;
}

export interface Watched {
  readonly view?: RunView | undefined;
  readonly ended: 'by-itself' | 'broken-off' | 'left';
  readonly remark?: string;
}

/**
 * Follows a run until it ends or `left` is aborted; the run goes on whatever happens here. Survives a worker and a server
 * that are away for a while.
 */
export async function followRun(
  look: () => Promise<Look>,
  sink: WatchSink,
  left: AbortSignal,
): Promise<Watched> {
  let last: Omit<Seen, 'silence'> | undefined;
  let answeredAt = Date.now();
  let trouble: string | undefined;
  const seenAt = (now: number): Seen | undefined => {
    const sinceMs = now - answeredAt;
    const silent = trouble !== undefined && sinceMs >= SILENT_AFTER_MS;
    return last && { ...last, silence: silent ? { what: trouble ?? '', sinceMs } : undefined };
  };
  const draw = () => sink.show(seenAt(Date.now()), trouble, Date.now());
  const end = (ended: Watched['ended'], remark?: string): Watched => {
    sink.end(seenAt(Date.now()), remark, Date.now());
    return { view: last?.view, ended, ...(remark === undefined ? {} : { remark }) };
  };
  const leaving = new Promise<undefined>((resolve) => {
    left.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const ticks = setInterval(draw, DRAW_EVERY_MS);
  try {
    while (!left.aborted) {
      const answer = await Promise.race([look(), leaving]);
      if (answer === undefined) break;
      const { view, activity, outputs, brokenOff } = answer;
      trouble = answer.trouble;
      if (view !== undefined) {
        last = {
          view,
          activity: activity ?? last?.activity ?? {},
          ...(outputs === undefined ? {} : { outputs }),
        };
        answeredAt = Date.now();
      }
      if (brokenOff !== undefined) return end('broken-off', brokenOffText(brokenOff, last?.view));
      if (view?.endedAt !== undefined) return end('by-itself');
      draw();
      await delay(LOOK_EVERY_MS, undefined, { signal: left }).catch(() => undefined);
    }
  } finally {
    clearInterval(ticks);
  }
  return end('left');
}

function brokenOffText(how: string, view: RunView | undefined): string {
  const left = view?.abortDoes === undefined ? '' : ` What an abort does was left out: ${view.abortDoes}.`;
  return `The workflow was ended in Temporal from outside the run (${how}).${left}`;
}
