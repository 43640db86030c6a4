import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { partsFile } from '../../src/parts.js';
import { projectRoot } from '../built.js';
import { labEnvironment } from '../environment.js';
import type { PartContext } from './all.js';
import type { PartSpec } from './part.js';

/** Muster's worker; undefined while it has not been built. */
export function workerPart({ layout, state }: PartContext): PartSpec | undefined {
  const program = join(projectRoot(), 'dist', 'src', 'worker.js');
  if (!existsSync(program)) return undefined;
  return {
    name: 'worker',
    command: process.execPath,
    args: ['--enable-source-maps', program],
    env: { ...labEnvironment(state), MUSTER_PARTS: partsFile() },
    cwd: layout.worker,
    address: state.temporal.address,
    logFile: join(layout.logs, 'worker.log'),
    stopSignal: 'SIGTERM',
    deadlineMs: 60_000,
    answers: async () => undefined,
  };
}
