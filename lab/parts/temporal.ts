import { mkdir } from 'node:fs/promises';
import {
  type TemporalServer,
  temporalAnswers,
  temporalArguments,
} from '../../src/embedded/temporal-server.js';
import type { PartSpec } from './part.js';

export { NAMESPACE } from '../../src/embedded/temporal-server.js';

/**
 * Temporal's development server with its UI, kept in a database file of the lab. That file need not outlive the machine: a
 * lab does not either.
 */
export async function temporalPart(
  how: Omit<TemporalServer, 'durability'> & { readonly program: string; readonly logFile: string },
): Promise<PartSpec> {
  await mkdir(how.folder, { recursive: true });
  const { ports } = how;
  return {
    name: 'temporal',
    command: how.program,
    args: temporalArguments({ ...how, durability: 'survives-crash' }),
    env: {},
    cwd: how.folder,
    address: `127.0.0.1:${ports.temporal}`,
    logFile: how.logFile,
    dataDir: how.folder,
    stopSignal: 'SIGKILL',
    deadlineMs: 60_000,
    answers: () => temporalAnswers(ports.temporalHttp),
  };
}
