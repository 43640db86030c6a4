/** The processes of a system beside Payymo. */
import { join } from 'node:path';
import { resolveSecret } from '../../src/secrets.js';
import { builtProgram } from '../built.js';
import { LabError } from '../errors.js';
import type { RegionName, WorldLayout } from '../layout.js';
import type { PartContext } from '../parts/all.js';
import type { PartSpec } from '../parts/part.js';
import { postgresPart } from '../parts/postgres.js';
import { answersWell, responds } from '../parts/service.js';
import { portOf } from '../ports.js';
import type { LabState, WorldState } from '../state.js';
import type { PlaceName, WorldDefinition } from './definition.js';
import { filesEnvironment } from './files.js';
import { type WorldName, worldNamed } from './index.js';

/** A system that lives in the lab. */
export interface WorldInLab {
  readonly name: WorldName;
  readonly definition: WorldDefinition;
  readonly state: WorldState;
  readonly layout: WorldLayout;
}

/** @throws LabError when the system does not live in this lab */
export function worldIn(
  { layout, state }: Pick<PartContext, 'layout' | 'state'>,
  name: WorldName,
): WorldInLab {
  const world = state.worlds[name];
  const definition = worldNamed(name);
  if (world === undefined) {
    throw new LabError(
      `${definition.title} does not live in the lab in ${state.dir}.`,
      `Bring it up with muster lab up --system ${name}.`,
    );
  }
  const sites = definition.sites.map((site) => site.name);
  return { name, definition, state: world, layout: layout.worldOf(name, sites) };
}

/** The system's server at a site. */
export async function worldPostgresPart(
  { programs, account }: PartContext,
  { name, state, layout }: WorldInLab,
  site: PlaceName,
): Promise<PartSpec> {
  const [cluster, place] = [layout.sites[site], state.sites[site]];
  if (cluster === undefined || place === undefined) throw new TypeError(`${name} has no site ${site}`);
  return postgresPart({
    name: `${name}-postgres-${site}`,
    layout: cluster,
    bin: programs.postgresBin,
    account,
    address: place.address,
    port: place.port,
    login: {
      user: state.admin.user,
      password: await resolveSecret(state.admin.password),
      // The system's own database is closed to everybody while it is fenced.
      database: 'postgres',
    },
  });
}

/** What every copy of the application gets, the one in production and the one that looks at a recovered database. */
export function worldEnvironment({
  name,
  state,
}: Pick<WorldInLab, 'name' | 'state'>): Record<string, string> {
  return {
    WORLD_SYSTEM: name,
    WORLD_DATABASE_USER: state.app.user,
    WORLD_DATABASE_PASSWORD: state.app.password,
  };
}

/** Starts the application against a recovered copy, read-only; where that is comes in `MUSTER_...` variables. */
export function worldTrialCommand(): string[] {
  return [process.execPath, builtProgram('lab/worlds/app.js'), '--read-only'];
}

/** Brings the application up, or leaves it where it runs; needs MUSTER_LAB and WORLD_SYSTEM. */
export function worldDeployCommand(): string[] {
  return [process.execPath, builtProgram('lab/worlds/deploy.js')];
}

/** Ends the application; needs MUSTER_LAB and WORLD_SYSTEM. */
export function worldStopCommand(): string[] {
  return [process.execPath, builtProgram('lab/worlds/stop.js')];
}

/** Takes migrations back; needs MUSTER_LAB and WORLD_SYSTEM, and on standard input which. */
export function worldMigrateDownCommand(): string[] {
  return [process.execPath, builtProgram('lab/worlds/migrate-down.js')];
}

/** The file that names the release of the application; where it is missing, the newest good one. */
export function releaseFileOf({ layout }: Pick<WorldInLab, 'layout'>): string {
  return join(layout.base, 'release');
}

/**
 * The system's application. It answers when it is healthy.
 *
 * @param region that it runs in, with the files there; left out: that of the system's first site
 */
export function worldAppPart(
  { layout: lab, state: labState }: { readonly layout: PartContext['layout']; readonly state: LabState },
  world: WorldInLab,
  region: RegionName = world.definition.sites[0].region,
): PartSpec {
  const { name, state } = world;
  const url = `${state.appUrl}/health`;
  return {
    name: `${name}-app`,
    command: process.execPath,
    args: [builtProgram('lab/worlds/app.js')],
    env: {
      ...worldEnvironment(world),
      WORLD_PORT: String(portOf(state.appUrl)),
      WORLD_DATABASE_PORT: String(Object.values(state.sites)[0]?.port),
      WORLD_RESOLVER: labState.dns.resolver,
      WORLD_RELEASE_FILE: releaseFileOf(world),
      ...filesEnvironment(labState, world.definition, region),
    },
    cwd: lab.dir,
    address: state.appUrl,
    logFile: join(lab.logs, `${name}-app.log`),
    stopSignal: 'SIGKILL',
    deadlineMs: 20_000,
    answers: async () => {
      await answersWell(url);
    },
    responds: () => responds(url),
  };
}

/** The client that writes all the time. It answers when a first record has been acknowledged. */
export function worldClientPart(
  { layout: lab }: Pick<PartContext, 'layout'>,
  { name, definition, state, layout }: WorldInLab,
): PartSpec {
  const url = `${state.clientUrl}/stats`;
  return {
    name: `${name}-client`,
    command: process.execPath,
    args: [builtProgram('lab/worlds/client.js')],
    env: {
      WORLD_SYSTEM: name,
      WORLD_CLIENT_PORT: String(portOf(state.clientUrl)),
      WORLD_CLIENT_FOLDER: layout.client,
      WORLD_URL: state.appUrl,
      WORLD_RATE: String(definition.writesPerSecond),
    },
    cwd: lab.dir,
    address: state.clientUrl,
    logFile: join(lab.logs, `${name}-client.log`),
    dataDir: layout.client,
    stopSignal: 'SIGTERM',
    deadlineMs: 20_000,
    answers: async () => {
      const { acknowledged } = await answersWell(url);
      if (acknowledged === 0) throw new Error('nothing has been acknowledged yet');
    },
    responds: () => responds(url),
  };
}
