/** A Temporal server of a benchmark's own, tuned as everywhere, gone when the benchmark is over. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrograms } from '../lab/parts/lookup.js';
import { temporalPart } from '../lab/parts/temporal.js';
import { freePorts } from '../lab/ports.js';
import { waitFor } from '../lab/wait.js';

/** @param work gets `host:port` of the server, and a folder that is removed afterwards */
export async function withTemporalServer<T>(
  work: (address: string, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-bench-'));
  const programs = await findPrograms();
  const loopback = { addresses: ['127.0.0.1'] };
  const ports = await freePorts({ temporal: loopback, temporalUi: loopback, temporalHttp: loopback });
  const part = await temporalPart({
    program: programs.temporal,
    folder,
    logFile: join(folder, 'log'),
    ports,
  });
  const server = spawn(part.command, part.args, { cwd: folder, stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  try {
    await waitFor({ what: 'the Temporal server', deadlineMs: 30_000 }, part.answers);
    return await work(part.address, folder);
  } finally {
    server.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}
