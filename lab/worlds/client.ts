/**
 * The client of a system: sends records at a steady rate, whatever happens to it, and remembers every one that was
 * acknowledged. A record whose outcome is unknown is sent again with the same id until it is answered.
 *
 * `GET /acknowledged?since=ISO&until=ISO` streams what was acknowledged, one JSON object a line; `GET /stats` counts.
 * Environment: WORLD_SYSTEM, WORLD_CLIENT_PORT, WORLD_CLIENT_FOLDER, WORLD_URL, WORLD_RATE (records a second).
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AcknowledgedFile, streamAcknowledged } from '../service/acknowledged.js';
import { endOnSignal, needed, serve } from '../service/http.js';
import { isWorld, worldNamed } from './index.js';

/** Records under way at once; while the system does not answer, no more are begun. */
const MOST_UNDER_WAY = 4;
const RETRY_MS = 250;
const ANSWER_TIMEOUT_MS = 8_000;

const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const { write } = worldNamed(system);
const url = needed('WORLD_URL');
const rate = Number(needed('WORLD_RATE'));
const acknowledged = await AcknowledgedFile.open(join(needed('WORLD_CLIENT_FOLDER'), 'acknowledged.ndjson'));
const stats = { refused: 0, unanswered: 0, heldBack: 0, lastError: null as string | null, lastErrorAt: '' };
let underWay = 0;
let stopping = false;

const server = await serve(Number(needed('WORLD_CLIENT_PORT')), async (request, response, asked) => {
  if (request.method !== 'GET') return { status: 405, body: { error: 'only GET is known here' } };
  if (asked.pathname === '/stats') {
    const { count, last } = acknowledged;
    return {
      status: 200,
      body: { acknowledged: count, ...stats, underWay, writesPerSecond: rate, last: last ?? null },
    };
  }
  if (asked.pathname === '/acknowledged')
    return streamAcknowledged(acknowledged, asked.searchParams, response);
  return { status: 404, body: { error: `${asked.pathname} is not known here` } };
});

const ticker = setInterval(() => {
  if (underWay >= MOST_UNDER_WAY) {
    stats.heldBack++;
    return;
  }
  underWay++;
  void writeOnce().finally(() => underWay--);
}, 1_000 / rate);

endOnSignal(async () => {
  stopping = true;
  clearInterval(ticker);
  server.close();
  await acknowledged.close();
});

async function writeOnce(): Promise<void> {
  const { path, body } = write();
  while (!stopping) {
    try {
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      const said = (await answer.json()) as { at?: string; error?: string };
      if (answer.ok && said.at !== undefined) {
        await acknowledged.add({ id: body.id, at: said.at, acknowledgedAt: new Date().toISOString() });
        return;
      }
      note(said.error ?? `answered ${answer.status}`);
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 409) {
        stats.refused++;
        return;
      }
    } catch (error) {
      note(error instanceof Error ? error.message : String(error));
    }
    stats.unanswered++;
    await delay(RETRY_MS);
  }
}

function note(error: string): void {
  stats.lastError = error;
  stats.lastErrorAt = new Date().toISOString();
}
