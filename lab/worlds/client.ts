/**
 * The client of a system: sends records at a steady rate, whatever happens to it, and remembers every one that was
 * acknowledged. A record whose outcome is unknown is sent again with the same id until it is answered.
 *
 * `GET /acknowledged?since=ISO&until=ISO` streams what was acknowledged, one JSON object a line; `GET /stats` counts.
 * Environment: WORLD_SYSTEM, WORLD_CLIENT_PORT, WORLD_CLIENT_FOLDER, WORLD_URL, WORLD_RATE (records a second).
 */
import { join } from 'node:path';
import { AcknowledgedFile } from '../service/acknowledged.js';
import { keepWriting, notKept, post } from '../service/client.js';
import { needed } from '../service/http.js';
import { isWorld, worldNamed } from './index.js';

const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const { write } = worldNamed(system);
const url = needed('WORLD_URL');

await keepWriting({
  acknowledged: await AcknowledgedFile.open(join(needed('WORLD_CLIENT_FOLDER'), 'acknowledged.ndjson')),
  port: Number(needed('WORLD_CLIENT_PORT')),
  rate: { name: 'writesPerSecond', perSecond: Number(needed('WORLD_RATE')) },
  most: 4,
  begin: write,
  ask: async ({ path, body }) => {
    const answer = await post<{ at?: string }>(`${url}${path}`, body);
    const { at } = answer.said;
    if (answer.status >= 300 || at === undefined) return notKept(answer, refusedForGood);
    return { kept: { id: body.id, at, acknowledgedAt: new Date().toISOString() } };
  },
});

/** A conflict (409) passes. */
function refusedForGood(status: number): boolean {
  return status >= 400 && status < 500 && status !== 409;
}
