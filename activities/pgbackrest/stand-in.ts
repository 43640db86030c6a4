/**
 * `archive-get` reads the cluster's identity from pg_control (pgBackRest 2.45, tried: error 55 without it). Where the lost server's
 * data directory cannot be reached, an empty cluster that is given its system identifier stands in.
 */
import { chown, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { accountIds, runTool } from '../../src/process.js';
import type { PostgresSite } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import { programOf } from '../service/index.js';

const INITDB_MS = 60_000;
/** Larger than ControlFileData of any version; what follows is padding (source: catalog/pg_control.h, PG_CONTROL_MAX_SAFE_SIZE). */
const CONTROL_BYTES = 512;

/**
 * Does work with a data directory that pgBackRest takes for that of a cluster, and removes it again. It is never started.
 *
 * @param systemIdentifier decimal, of the cluster that is stood in for
 * @throws PermanentError `StandInFailed`
 */
export async function withStandIn<T>(
  postgres: PostgresSite,
  systemIdentifier: string,
  work: (dataDirectory: string) => Promise<T>,
): Promise<T> {
  const { account } = postgres.service;
  const folder = await mkdtemp(join(tmpdir(), 'muster-stand-in-'));
  try {
    const ids = accountIds(account);
    if (ids.switch) await chown(folder, ids.uid, ids.gid);
    const dataDirectory = join(folder, 'data');
    const outcome = await runTool(
      await programOf(postgres, 'initdb'),
      ['-D', dataDirectory, '-U', 'nobody', '-A', 'reject', '--no-sync', '--no-locale', '-E', 'UTF8'],
      { account, timeoutMs: INITDB_MS, signal: activitySignal() },
    );
    if (outcome.exitCode !== 0) throw failed(folder, outcome.stderr.trim());
    await giveIdentifier(join(dataDirectory, 'global', 'pg_control'), systemIdentifier);
    return await work(dataDirectory);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The identifier stands first in pg_control; a CRC-32C over all before it ends the structure, whose length differs by version. */
async function giveIdentifier(file: string, systemIdentifier: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const control = Buffer.alloc(CONTROL_BYTES);
    await handle.read(control, 0, CONTROL_BYTES, 0);
    const end = endOfStructure(control);
    if (end === undefined) throw failed(file, 'its checksum was not found where a known version has it');
    control.writeBigUInt64LE(BigInt(systemIdentifier), 0);
    control.writeUInt32LE(crc32c(control.subarray(0, end)), end);
    await handle.write(control, 0, CONTROL_BYTES, 0);
  } finally {
    await handle.close();
  }
}

function endOfStructure(control: Buffer): number | undefined {
  for (let end = 64; end + 4 <= control.length; end += 4) {
    if (control.readUInt32LE(end) === crc32c(control.subarray(0, end))) return end;
  }
  return undefined;
}

/** Castagnoli's polynomial, as PostgreSQL uses it (source: port/pg_crc32c.h). */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function failed(where: string, why: string): PermanentError {
  return new PermanentError('StandInFailed', `No stand-in for the lost cluster could be made in ${where}.`, {
    why,
    next: 'See that initdb of the same PostgreSQL version works on this worker as the account of the cluster, then retry the step.',
  });
}
