import { join } from 'node:path';
import { builtProgram } from '../built.js';
import { accountsFor } from '../payymo/generate.js';
import { portOf } from '../ports.js';
import type { LabState } from '../state.js';
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

/** Starts the application against a recovered copy, read-only; where that is comes in `MUSTER_...` variables. */
export function trialCommand(): string[] {
  return [process.execPath, builtProgram('lab/payymo/app.js'), '--read-only'];
}

/** Brings the application up in another zone, or leaves it where it runs; needs MUSTER_LAB. */
export function deployCommand(): string[] {
  return [process.execPath, builtProgram('lab/payymo/start.js')];
}

/** Payymo's core API. It answers when it is healthy. */
export function appPart({ layout, state }: PartContext): PartSpec {
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
