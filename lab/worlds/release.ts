/** Releases of a system's application: put into service with their migration and their record, and taken back again. */
import { rename, writeFile } from 'node:fs/promises';
import pg from 'pg';
import { resolveSecret } from '../../src/secrets.js';
import { LabError } from '../errors.js';
import { World } from '../keeper.js';
import { layoutOf } from '../layout.js';
import { ensurePart } from '../parts/part.js';
import { isRunning, stopProcess } from '../process.js';
import type { LabState } from '../state.js';
import type { WorldDefinition, WorldReleases } from './definition.js';
import type { WorldName } from './index.js';
import { releaseFileOf, type WorldInLab, worldAppPart, worldIn } from './parts.js';
import { homeOf, homeRegionOf } from './start.js';

/**
 * Puts a release into service: its migration first, then its record, then the application. May be run twice.
 *
 * @throws LabError for a release that the system does not have
 */
export async function deployRelease(state: LabState, name: WorldName, release: string): Promise<void> {
  const layout = layoutOf(state.dir);
  const own = worldIn({ layout, state }, name);
  await inTransaction(own, (client) => recordRelease(client, own.definition, release));
  const file = releaseFileOf(own);
  await writeFile(`${file}.new`, `${release}\n`);
  await rename(`${file}.new`, file);
  const world = new World(layout, state, () => undefined);
  const app = worldAppPart({ layout, state }, own, await homeRegionOf(own));
  const known = world.known(app.name);
  // An instance of another release does not become this one by being asked.
  if (known !== undefined && isRunning(known)) await stopProcess(known, app.stopSignal);
  await ensurePart(app, world);
}

/** Takes migrations back, all in one transaction with their records. One that is not recorded is left. */
export async function migrateDown(
  state: LabState,
  name: WorldName,
  migrations: readonly string[],
): Promise<readonly string[]> {
  const own = worldIn({ layout: layoutOf(state.dir), state }, name);
  return inTransaction(own, (client) => takeBack(client, own.definition, migrations));
}

/** What a release does to the database. @param client of the role that deploys, in a transaction */
export async function recordRelease(
  client: pg.ClientBase,
  definition: WorldDefinition,
  release: string,
): Promise<void> {
  const { good, bad } = releasesOf(definition);
  if (release !== bad.release && !good.includes(release)) {
    throw new LabError(
      `${definition.title} has no release ${release}.`,
      `It has ${[...good, bad.release].join(', ')}.`,
    );
  }
  const schema = await deploying(client, definition);
  if (release === bad.release) {
    const { rowCount } = await client.query(
      `insert into ${schema}.migrations values ($1, $2, now()) on conflict (name) do nothing`,
      [bad.migration, release],
    );
    if (rowCount === 1) await client.query(bad.upSql);
  }
  await client.query(
    `insert into ${schema}.releases (release, deployed_at) select $1::text, clock_timestamp()
     where $1 is distinct from (select release from ${schema}.releases order by id desc limit 1)`,
    [release],
  );
}

/** @param client of the role that deploys, in a transaction. @returns those that were recorded */
export async function takeBack(
  client: pg.ClientBase,
  definition: WorldDefinition,
  migrations: readonly string[],
): Promise<readonly string[]> {
  const { bad } = releasesOf(definition);
  const schema = await deploying(client, definition);
  const takenBack: string[] = [];
  for (const migration of migrations) {
    if (migration !== bad.migration) {
      throw new LabError(
        `Nobody knows how ${migration} of ${definition.title} is taken back.`,
        `Only ${bad.migration} can be.`,
      );
    }
    const { rowCount } = await client.query(`delete from ${schema}.migrations where name = $1`, [migration]);
    if (rowCount === 0) continue;
    await client.query(bad.downSql);
    takenBack.push(migration);
  }
  return takenBack;
}

/** Two deployments at once wait for each other. @returns the schema */
async function deploying(client: pg.ClientBase, { rolePrefix }: WorldDefinition): Promise<string> {
  await client.query(`set local role ${rolePrefix}_owner`);
  await client.query(`lock table ${rolePrefix}.releases in exclusive mode`);
  return rolePrefix;
}

/** @throws LabError for a system with one release only */
function releasesOf(definition: WorldDefinition): WorldReleases {
  if (definition.releases !== undefined) return definition.releases;
  throw new LabError(
    `${definition.title} has one release only.`,
    `Give it others in lab/worlds/${definition.system}.ts.`,
  );
}

async function inTransaction<T>(own: WorldInLab, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const { state } = own;
  const site = state.sites[await homeOf(own)];
  const client = new pg.Client({
    host: site?.address,
    port: site?.port,
    database: state.database,
    user: state.deploy.user,
    password: await resolveSecret(state.deploy.password),
    application_name: 'deployment',
    connectionTimeoutMillis: 5_000,
    statement_timeout: 60_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('begin');
    const done = await work(client);
    await client.query('commit');
    return done;
  } finally {
    await client.end().catch(() => undefined);
  }
}
