/**
 * The client of a system: sends records at a steady rate, whatever happens to it, and remembers every one that was
 * acknowledged. A record whose outcome is unknown is sent again with the same id until it is answered. Where the system keeps files it
 * has one made now and then, and remembers those too.
 *
 * `GET /acknowledged?since=ISO&until=ISO` streams what was acknowledged, one JSON object a line, `GET /acknowledged/<store>` the
 * files; `GET /stats` counts.
 * Environment: WORLD_SYSTEM, WORLD_CLIENT_PORT, WORLD_CLIENT_FOLDER, WORLD_URL, WORLD_RATE (records a second).
 */
import { join } from 'node:path';
import { AcknowledgedFile, type Acknowledgement } from '../service/acknowledged.js';
import { keepWriting, notKept, post } from '../service/client.js';
import { needed } from '../service/http.js';
import type { WorldFiles } from './definition.js';
import { isWorld, worldNamed } from './index.js';

/** A file that the system has answered for. */
interface FileAcknowledged extends Acknowledgement {
  readonly key: string;
  readonly sha256: string;
}

const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const { write, files } = worldNamed(system);
const url = needed('WORLD_URL');
const folder = needed('WORLD_CLIENT_FOLDER');
const kept = files && (await AcknowledgedFile.open<FileAcknowledged>(join(folder, `${files.store}.ndjson`)));
let begun = 0;

await keepWriting({
  acknowledged: await AcknowledgedFile.open(join(folder, 'acknowledged.ndjson')),
  ...(files && kept ? { others: { [files.store]: kept } } : {}),
  port: Number(needed('WORLD_CLIENT_PORT')),
  rate: { name: 'writesPerSecond', perSecond: Number(needed('WORLD_RATE')) },
  most: 4,
  begin: () => {
    if (files && kept && ++begun % files.oneInRecords === 0)
      void askForFile(files, kept).catch(() => undefined);
    return write();
  },
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

/** Asked for once: what is not answered does not count. */
async function askForFile(
  { write }: WorldFiles,
  acknowledged: AcknowledgedFile<FileAcknowledged>,
): Promise<void> {
  const { path, body } = write();
  const { status, said } = await post<Partial<FileAcknowledged>>(`${url}${path}`, body);
  const { at, key, sha256 } = said;
  if (status >= 300 || at === undefined || key === undefined || sha256 === undefined) return;
  await acknowledged.add({ id: body.id, at, key, sha256, acknowledgedAt: new Date().toISOString() });
}
