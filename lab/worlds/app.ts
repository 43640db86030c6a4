/**
 * The application of a system: its critical functions, and its health. It finds the database by its DNS name; started with
 * `--read-only` it looks at one fixed server instead (a recovered copy) and takes no writes.
 *
 * Environment: WORLD_SYSTEM; WORLD_PORT; WORLD_DATABASE_USER, WORLD_DATABASE_PASSWORD (reference); WORLD_DATABASE_PORT,
 * WORLD_RESOLVER (address:port); WORLD_RELEASE_FILE, a file with the name of its release; WORLD_FILES and WORLD_FILES_COPY (buckets as
 * a runbook has them, in JSON; left out where it keeps no files). With `--read-only`: MUSTER_PORT, MUSTER_DATABASE_HOST (an address) and
 * MUSTER_DATABASE_PORT take the place of the others.
 */
import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { resolveSecret } from '../../src/secrets.js';
import { fixedAddress, resolvedAddress } from '../service/addresses.js';
import { FollowingDatabase } from '../service/database.js';
import type { Files } from '../service/files.js';
import { type Answer, endOnSignal, needed, readJson, serve } from '../service/http.js';
import type { Asked, Route } from './definition.js';
import { isWorld, worldNamed } from './index.js';

const system = needed('WORLD_SYSTEM');
if (!isWorld(system)) throw new Error(`no system of the lab is called ${system}`);
const world = worldNamed(system);
const readOnly = process.argv.includes('--read-only');
const release = await releaseOf(process.env.WORLD_RELEASE_FILE);
const database = new FollowingDatabase(
  readOnly
    ? fixedAddress(needed('MUSTER_DATABASE_HOST'))
    : resolvedAddress(world.record, needed('WORLD_RESOLVER')),
  {
    port: Number(needed(readOnly ? 'MUSTER_DATABASE_PORT' : 'WORLD_DATABASE_PORT')),
    database: world.database,
    user: needed('WORLD_DATABASE_USER'),
    password: await resolveSecret(needed('WORLD_DATABASE_PASSWORD')),
    readOnly,
    application: system,
  },
);
const files = readOnly ? undefined : await openFiles();

const server = await serve(
  Number(needed(readOnly ? 'MUSTER_PORT' : 'WORLD_PORT')),
  async (request, _, url) => {
    try {
      return await respond(request, url);
    } catch (error) {
      // Whatever the database has to do with it: the client may ask again, a record keeps its id.
      return { status: 503, body: { error: error instanceof Error ? error.message : String(error) } };
    }
  },
);
endOnSignal(async () => {
  server.close();
  files?.close();
  await database.close();
});

async function respond(request: IncomingMessage, url: URL): Promise<Answer> {
  if (request.method === 'GET' && url.pathname === '/health') return health();
  for (const route of world.routes) {
    const params = request.method === route.method ? matched(route, url.pathname) : undefined;
    if (params === undefined) continue;
    if (isBroken(route)) {
      return { status: 500, body: { error: `release ${release} cannot answer this` } };
    }
    if (route.method === 'GET') {
      return database.use((client) => route.answer(client, { params, body: undefined, files }));
    }
    if (readOnly) return { status: 503, body: { error: 'read-only: this copy takes no writes' } };
    return change(route, { params, body: await readJson(request), files });
  }
  return { status: 404, body: { error: `${request.method} ${url.pathname} is not known here` } };
}

/** Loaded only where there are any: a copy that is tried starts sooner without. */
async function openFiles(): Promise<Files | undefined> {
  const bucket = process.env.WORLD_FILES;
  if (bucket === undefined) return undefined;
  const { Files } = await import('../service/files.js');
  const copy = process.env.WORLD_FILES_COPY;
  return Files.open(JSON.parse(bucket), copy === undefined ? undefined : JSON.parse(copy));
}

function isBroken({ path }: Route): boolean {
  const bad = world.releases?.bad;
  return bad !== undefined && bad.release === release && bad.breaks.includes(path);
}

/** What is refused leaves nothing behind. */
function change(route: Route, asked: Asked): Promise<Answer> {
  return database.use(async (client) => {
    await client.query('begin');
    const answer = await route.answer(client, asked);
    await client.query(answer.status < 300 ? 'commit' : 'rollback');
    return answer;
  });
}

function matched({ path }: Route, pathname: string): Record<string, string> | undefined {
  const [wanted, given] = [path.split('/'), pathname.split('/')];
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = decodeURIComponent(given[index] ?? '');
    if (part.startsWith(':')) params[part.slice(1)] = value;
    else if (part !== value) return undefined;
  }
  return params;
}

/** The newest good one where nothing else was deployed. */
async function releaseOf(file: string | undefined): Promise<string | undefined> {
  const deployed = file === undefined ? '' : await readFile(file, 'utf8').catch(() => '');
  return deployed.trim() || world.releases?.good.at(-1);
}

async function health(): Promise<Answer> {
  const begun = performance.now();
  const where = () => ({ address: database.address ?? null, port: database.port });
  try {
    const { newest, refuses } = await database.use(async (client) => {
      const { rows } = await client.query<{ newest: Date | null; refuses: boolean }>(
        `select newest, pg_is_in_recovery() or current_setting('transaction_read_only') = 'on' as refuses
         from (${world.pulseSql}) as pulse`,
      );
      return rows[0] ?? { newest: null, refuses: true };
    });
    const good = !refuses || readOnly;
    return {
      status: good ? 200 : 503,
      body: {
        status: good ? 'ok' : 'unavailable',
        ...(good ? {} : { reason: 'the database takes no writes' }),
        database: where(),
        latencyMs: Math.round((performance.now() - begun) * 10) / 10,
        newest: newest?.toISOString() ?? null,
        readOnly,
        ...(release === undefined ? {} : { release }),
      },
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 503, body: { status: 'unavailable', reason, database: where(), readOnly } };
  }
}
