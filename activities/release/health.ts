/** What an application tells of itself, and whether its functions work. */
import { setTimeout as delay } from 'node:timers/promises';
import { MusterError, messageOf, TransientError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import type { Application } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import { converse } from '../verify/conversation.js';

const ANSWER_MS = 5_000;
const HEALTHY_MS = 120_000;
const POLL_MS = 200;

export interface Told {
  readonly healthy: boolean;
  /** Null: it does not tell. */
  readonly release: string | null;
  /** In words. */
  readonly said: string;
}

/** @param field of the health answer, a JSON object, that names the release */
export async function askHealth({ url, healthPath }: Application, field: string): Promise<Told> {
  const signal = activitySignal();
  try {
    const answer = await fetch(new URL(healthPath, url), {
      headers: { connection: 'close' },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    const text = await answer.text();
    return {
      healthy: answer.status === 200,
      release: releaseIn(text, field),
      said: `${answer.status} ${text.slice(0, 200)}`,
    };
  } catch (error) {
    signal.throwIfAborted();
    return { healthy: false, release: null, said: messageOf(error) };
  }
}

/** @throws TransientError `ReleaseUnhealthy` when it is not healthy in time, or another release answers */
export async function untilHealthy(
  application: Application,
  field: string,
  release: string,
): Promise<string> {
  const signal = activitySignal();
  const begun = performance.now();
  let last = 'no answer';
  while (performance.now() - begun < HEALTHY_MS) {
    const { healthy, release: told, said } = await askHealth(application, field);
    if (healthy && (told === null || told === release)) {
      const took = formatDuration(performance.now() - begun);
      return told === null ? `healthy after ${took}; it tells no release` : `${told}, healthy after ${took}`;
    }
    last = said;
    await delay(POLL_MS, undefined, { signal });
  }
  throw new TransientError(
    'ReleaseUnhealthy',
    `Release ${release} does not become healthy at ${application.url}: ${last}.`,
    {
      next: 'See in its log what it misses, and whether every instance was deployed; the step tries again by itself for a while.',
    },
  );
}

/** Titles of the functions that do not work. @param writing whether those that write are tried too */
export async function failingFunctions(
  { url, functions }: Application,
  writing: 'left' | 'tried',
): Promise<readonly string[]> {
  const signal = activitySignal();
  const failing: string[] = [];
  for (const tried of functions.filter(({ readOnly }) => readOnly || writing === 'tried')) {
    try {
      await converse(url, tried, { signal });
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      failing.push(tried.title);
    }
  }
  return failing;
}

function releaseIn(text: string, field: string): string | null {
  try {
    const value = (JSON.parse(text) as Readonly<Record<string, unknown>> | null)?.[field];
    return typeof value === 'string' ? value : null;
  } catch {
    return null;
  }
}
