/** What the clients of all systems do: write again and again, remember what was acknowledged, and show both. */
import { setTimeout as delay } from 'node:timers/promises';
import { type AcknowledgedFile, type Acknowledgement, streamAcknowledged } from './acknowledged.js';
import { endOnSignal, serve } from './http.js';

const RETRY_MS = 250;
/** How long one answer may take. */
const ANSWER_TIMEOUT_MS = 8_000;

/** What came of asking once. */
export type Asked<Kept> =
  | { readonly kept: Kept }
  /** The system has said no: it is not asked again. */
  | { readonly refused: string }
  /** It is asked again, with the same. */
  | { readonly unanswered: string };

export interface Writing<Kept extends Acknowledgement, Body> {
  readonly acknowledged: AcknowledgedFile<Kept>;
  /** What else was acknowledged, by the name that `/acknowledged/<name>` shows it under. */
  readonly others?: Readonly<Record<string, AcknowledgedFile>>;
  /** Where `/stats` and `/acknowledged` are answered, on loopback. */
  readonly port: number;
  /** How `/stats` names the rate. */
  readonly rate: { readonly name: string; readonly perSecond: number };
  /** Under way at once; while the system does not answer, no more are begun. */
  readonly most: number;
  /** Something new to write. */
  readonly begin: () => Body;
  /** Asks the system to write it. What it throws counts as unanswered. */
  readonly ask: (body: Body) => Promise<Asked<Kept>>;
}

/** Writes until the process is told to end. */
export async function keepWriting<Kept extends Acknowledgement, Body>(
  writing: Writing<Kept, Body>,
): Promise<void> {
  const { acknowledged, others = {}, port, rate, most } = writing;
  const stats = { refused: 0, unanswered: 0, heldBack: 0, lastError: null as string | null, lastErrorAt: '' };
  let underWay = 0;
  let stopping = false;

  const server = await serve(port, async (request, response, asked) => {
    if (request.method !== 'GET') return { status: 405, body: { error: 'only GET is known here' } };
    if (asked.pathname === '/stats') {
      const { count, last } = acknowledged;
      return {
        status: 200,
        body: { acknowledged: count, ...stats, underWay, [rate.name]: rate.perSecond, last: last ?? null },
      };
    }
    if (asked.pathname === '/acknowledged')
      return streamAcknowledged(acknowledged, asked.searchParams, response);
    for (const [name, other] of Object.entries(others)) {
      if (asked.pathname === `/acknowledged/${name}`)
        return streamAcknowledged(other, asked.searchParams, response);
    }
    return { status: 404, body: { error: `${asked.pathname} is not known here` } };
  });

  const ticker = setInterval(() => {
    if (underWay >= most) {
      stats.heldBack++;
      return;
    }
    underWay++;
    void writeOnce().finally(() => underWay--);
  }, 1_000 / rate.perSecond);

  endOnSignal(async () => {
    stopping = true;
    clearInterval(ticker);
    server.close();
    await Promise.all([acknowledged, ...Object.values(others)].map((file) => file.close()));
  });

  async function writeOnce(): Promise<void> {
    const body = writing.begin();
    while (!stopping) {
      const asked = await writing.ask(body).catch((error: unknown) => ({
        unanswered: error instanceof Error ? error.message : String(error),
      }));
      if ('kept' in asked) {
        await acknowledged.add(asked.kept);
        return;
      }
      stats.lastError = 'refused' in asked ? asked.refused : asked.unanswered;
      stats.lastErrorAt = new Date().toISOString();
      if ('refused' in asked) {
        stats.refused++;
        return;
      }
      stats.unanswered++;
      await delay(RETRY_MS);
    }
  }
}

/** Posts JSON and reads the answer, within the time for one. */
export async function post<Said>(
  url: string,
  body: object,
): Promise<{ readonly status: number; readonly said: Said & { readonly error?: string } }> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
  });
  return { status: answer.status, said: (await answer.json()) as Said & { error?: string } };
}

/** An answer that acknowledges nothing. */
export function notKept(
  { status, said }: { readonly status: number; readonly said: { readonly error?: string } },
  isRefusal = (code: number): boolean => code >= 400 && code < 500,
): Asked<never> {
  const error = said.error ?? `answered ${status}`;
  return isRefusal(status) ? { refused: error } : { unanswered: error };
}
