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

/** Why there is nothing to see: nobody answers, or Muster itself cannot look from here, which says nothing of them. */
export type Absence = 'silent' | 'unseen';

/** What is missing on this side, whatever is looked at. */
const OURS = new Set(['SecretMissing', 'ToolMissing', 'AccountMissing', 'ConfigurationMissing']);

/**
 * @param deadlineMs after which it counts as silent
 * @param absent what the judgement takes of a look that saw nothing
 */
export async function lookAt<T>(
  subject: string,
  deadlineMs: number,
  absent: (how: Absence) => T,
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
    const how = cannotLook(error) ? 'unseen' : 'silent';
    const saw = how === 'unseen' ? `Muster cannot look from here: ${said(error)}` : said(error);
    const verdict = how === 'unseen' ? 'unknown' : 'wrong';
    return { finding: { subject, verdict, saw, tookMs: tookMs() }, symptom: absent(how) };
  } finally {
    clearTimeout(timer);
  }
}

function cannotLook(error: unknown): boolean {
  for (let one = error; one !== undefined && one !== null; one = (one as { cause?: unknown }).cause) {
    const { code, name } = one as { readonly code?: unknown; readonly name?: unknown };
    if (OURS.has(String(code)) || name === 'CredentialsProviderError') return true;
  }
  return false;
}

/** As part of a sentence. Muster's own errors tell their cause themselves. */
export function said(error: unknown): string {
  const text = error instanceof MusterError ? error.message : messageOf(error);
  return text.replace(/\s+/g, ' ').replace(/\.$/, '');
}
