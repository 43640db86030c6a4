/** One look at one thing: it ends in time and says one sentence, whatever it meets. */

import type { Finding } from '../../src/diagnosis/symptoms.js';
import { MusterError, messageOf } from '../../src/errors.js';

/** What a look gives: the sentence for people, and what the judgement takes of it. */
export interface Seen<T> {
  readonly verdict: Finding['verdict'];
  readonly saw: string;
  readonly symptom: T;
}

export interface Look<T> {
  readonly finding: Finding;
  readonly symptom: T;
}

/** Nothing was heard within the time of a look. */
class NoAnswer extends Error {}

/**
 * @param deadlineMs after which it counts as silent
 * @param silent what the judgement takes of a look that found nobody
 */
export async function lookAt<T>(
  subject: string,
  deadlineMs: number,
  silent: T,
  work: (signal: AbortSignal) => Promise<Seen<T>>,
): Promise<Look<T>> {
  const begun = performance.now();
  const tookMs = () => Math.round(performance.now() - begun);
  const patience = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      patience.abort();
      reject(new NoAnswer(`no answer within ${deadlineMs / 1000} s`));
    }, deadlineMs);
  });
  try {
    const { verdict, saw, symptom } = await Promise.race([work(patience.signal), late]);
    return { finding: { subject, verdict, saw, tookMs: tookMs() }, symptom };
  } catch (error) {
    const known = error instanceof MusterError || error instanceof NoAnswer;
    const verdict = known ? 'wrong' : 'unknown';
    return { finding: { subject, verdict, saw: said(error), tookMs: tookMs() }, symptom: silent };
  } finally {
    clearTimeout(timer);
  }
}

/** As part of a sentence. */
export function said(error: unknown): string {
  return messageOf(error).replace(/\s+/g, ' ').replace(/\.$/, '');
}
