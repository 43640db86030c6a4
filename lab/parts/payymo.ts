import { join } from 'node:path';
import type { Bucket } from '../../src/runbook/schema.js';
import { builtProgram } from '../built.js';
import type { RegionName } from '../layout.js';
import { accountsFor } from '../payymo/generate.js';
import { portOf } from '../ports.js';
import type { LabState, RegionState } from '../state.js';
import type { PartContext } from './all.js';
import type { PartSpec } from './part.js';
import { answersWell, responds } from './service.js';

/** What every copy of the application gets, the one in production and the one that looks at a recovered database. */
export function appEnvironment(state: LabState): Record<string, string> {
  return {
    PAYYMO_DATABASE: state.ledger.database,
    PAYYMO_DATABASE_USER: state.ledger.app.user,
    PAYYMO_DATABASE_PASSWORD: state.ledger.app.password,
  };
}

/** The bucket of Payymo's files in a region. */
export function filesBucket(region: RegionState): Bucket {
  const { endpoint, caFile, accessKeyId, secretAccessKey, filesBucket: bucket } = region;
  return { region: region.region, endpoint, bucket, pathStyle: true, caFile, accessKeyId, secretAccessKey };
}

/** Starts the application against a recovered copy, read-only; where that is comes in `MUSTER_...` variables. */
export function trialCommand(): string[] {
  return [process.execPath, builtProgram('lab/payymo/app.js'), '--read-only'];
}

/** Brings the application up in another zone, or leaves it where it runs; needs MUSTER_LAB. */
export function deployCommand(): string[] {
  return [process.execPath, builtProgram('lab/payymo/start.js')];
}

/** Ends the application; needs MUSTER_LAB. */
export function stopCommand(): string[] {
  return [process.execPath, builtProgram('lab/payymo/stop.js')];
}

/** Payymo's core API as it runs in a region, with the files there. It answers when it is healthy. */
export function appPart({ layout, state }: PartContext, region: RegionName): PartSpec {
  return {
    name: 'payymo-app',
    command: process.execPath,
    args: [builtProgram('lab/payymo/app.js')],
    env: {
      ...appEnvironment(state),
      PAYYMO_PORT: String(portOf(state.payymo.appUrl)),
      PAYYMO_DATABASE_HOST: state.dns.record,
      PAYYMO_DATABASE_PORT: String(state.ledger.sites.west.port),
      PAYYMO_RESOLVER: state.dns.resolver,
      PAYYMO_SIGNING_KEY: state.ledger.signingKey,
      PAYYMO_FILES: JSON.stringify(filesBucket(state.regions[region])),
      // What is new in the west is copied to the east; there is no third region.
      ...(region === 'west' ? { PAYYMO_FILES_COPY: JSON.stringify(filesBucket(state.regions.east)) } : {}),
    },
    cwd: layout.dir,
    address: state.payymo.appUrl,
    logFile: join(layout.logs, 'payymo-app.log'),
    stopSignal: 'SIGKILL',
    deadlineMs: 20_000,
    answers: async () => {
      await answersWell(`${state.payymo.appUrl}/health`);
    },
    responds: () => responds(`${state.payymo.appUrl}/health`),
  };
}

/** The client that pays all the time. It answers when a first payment has been acknowledged. */
export function clientPart({ layout, state }: PartContext): PartSpec {
  return {
    name: 'payymo-client',
    command: process.execPath,
    args: [builtProgram('lab/payymo/client.js')],
    env: {
      PAYYMO_CLIENT_PORT: String(portOf(state.payymo.clientUrl)),
      PAYYMO_CLIENT_FOLDER: layout.client,
      PAYYMO_URL: state.payymo.appUrl,
      PAYYMO_RATE: String(state.payymo.paymentsPerSecond),
      PAYYMO_ACCOUNTS: String(accountsFor(state.seed.transactions)),
    },
    cwd: layout.dir,
    address: state.payymo.clientUrl,
    logFile: join(layout.logs, 'payymo-client.log'),
    dataDir: layout.client,
    stopSignal: 'SIGTERM',
    deadlineMs: 20_000,
    answers: async () => {
      const { acknowledged } = await answersWell(`${state.payymo.clientUrl}/stats`);
      if (acknowledged === 0) throw new Error('no payment has been acknowledged yet');
    },
    responds: () => responds(`${state.payymo.clientUrl}/stats`),
  };
}
