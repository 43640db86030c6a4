/** What the owner's way rests on: a dump, made while all was well, compressed, encrypted and kept in the object store. */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { REGIONS, type RegionName } from '../../lab/layout.js';
import type { LabState } from '../../lab/state.js';
import { resolveSecret } from '../../src/secrets.js';
import { owner } from '../by-hand/fence.js';
import { type } from '../by-hand/shell.js';

const KEY = 'dumps/newest.dump.gz.enc';

/** What is dumped, and where the dump is kept. */
export interface Dumped {
  readonly socketDir: string;
  readonly port: number;
  readonly database: string;
  readonly bucket: string;
}

/** A dump as it is known to whoever restores it. */
export interface KeptDump {
  readonly folder: string;
  readonly bucket: string;
  readonly sha256: string;
  /** Roles with their passwords, as SQL. */
  readonly roles: string;
}

/** Makes the dump of the ledger and puts it into both regions. */
export function keepDump(state: LabState): Promise<KeptDump> {
  return keepDumpOf(state, ledgerOf(state), REGIONS);
}

export function ledgerOf({ ledger, regions }: LabState): Dumped {
  const { socketDir, port } = ledger.sites.west;
  return { socketDir, port, database: ledger.database, bucket: regions.west.backupBucket };
}

/** Makes the dump of a database and puts it into the bucket of that name in each region. */
export async function keepDumpOf(
  state: LabState,
  { socketDir, port, database, bucket }: Dumped,
  regions: readonly RegionName[],
): Promise<KeptDump> {
  const folder = join(state.dir, 'owners-way');
  await mkdir(folder);
  const { uid, gid } = owner();
  await type('chown', [`${uid}:${gid}`, folder]);
  const connection = [`--host=${socketDir}`, `--port=${port}`, '--username=postgres'];
  const roles = await type(join(state.postgresBin, 'pg_dumpall'), [...connection, '--roles-only'], {
    as: 'database',
  });
  const sha256 = await makeArchive(state, folder, [...connection, `--dbname=${database}`]);
  for (const region of regions) await upload(state, region, join(folder, 'made'), bucket);
  await rm(join(folder, 'made'));
  return { folder, bucket, sha256, roles };
}

/**
 * Dump to a file, compress it, encrypt it, as the owner's tools do: one after another.
 *
 * @param connection options of pg_dump, with the database
 * @returns SHA-256 of `made`
 */
export async function makeArchive(
  state: LabState,
  folder: string,
  connection: readonly string[],
): Promise<string> {
  const at = (name: string) => join(folder, name);
  await type(
    join(state.postgresBin, 'pg_dump'),
    [...connection, '--format=custom', '--compress=0', `--file=${at('dump')}`],
    { as: 'database' },
  );
  await type('gzip', ['-3', '--force', at('dump')], { as: 'database' });
  await type('openssl', [
    'enc',
    '-aes-256-cbc',
    '-pbkdf2',
    ...(await keyOf(state)),
    ...files('dump.gz', 'made'),
  ]);
  await rm(at('dump.gz'));
  return sumOf(at('made'));

  function files(from: string, to: string): string[] {
    return ['-in', at(from), '-out', at(to)];
  }
}

/** Brings the archive back to what pg_restore takes: download, compare, decrypt, unpack, each into a file. */
export async function fetchDump(state: LabState, { folder, bucket, sha256 }: KeptDump): Promise<string> {
  const at = (name: string) => join(folder, name);
  const s3 = await connect(state, 'west');
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: KEY }));
    await pipeline(Body as Readable, createWriteStream(at('dump.gz.enc')));
  } finally {
    s3.destroy();
  }
  if ((await sumOf(at('dump.gz.enc'))) !== sha256)
    throw new Error('the archive is not the one that was made');
  await type('openssl', [
    ...['enc', '-d', '-aes-256-cbc', '-pbkdf2', ...(await keyOf(state))],
    ...['-in', at('dump.gz.enc'), '-out', at('dump.gz')],
  ]);
  await type('gunzip', ['--force', at('dump.gz')]);
  const { uid, gid } = owner();
  await type('chown', [`${uid}:${gid}`, at('dump')]);
  return at('dump');
}

export async function upload(
  state: LabState,
  region: RegionName,
  file: string,
  bucket: string,
): Promise<void> {
  const s3 = await connect(state, region);
  try {
    const { size } = await stat(file);
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: KEY,
        Body: createReadStream(file),
        ContentLength: size,
      }),
    );
  } finally {
    s3.destroy();
  }
}

async function connect({ regions }: LabState, region: RegionName): Promise<S3Client> {
  const { endpoint, caFile, accessKeyId, secretAccessKey, region: code } = regions[region];
  return new S3Client({
    region: code,
    endpoint,
    forcePathStyle: true,
    // An agent of one's own: for a large body the SDK makes one that knows no certificate.
    requestHandler: { httpsAgent: new Agent({ ca: await readFile(caFile) }) },
    credentials: {
      accessKeyId: await resolveSecret(accessKeyId),
      secretAccessKey: await resolveSecret(secretAccessKey),
    },
  });
}

async function sumOf(file: string): Promise<string> {
  return (await type('sha256sum', [file])).slice(0, 64);
}

/** The key goes through a file, never through argv. */
async function keyOf(state: LabState): Promise<string[]> {
  const file = join(state.dir, 'owners-way.key');
  await writeFile(file, 'a key of the benchmark\n', { mode: 0o600 });
  return ['-pass', `file:${file}`];
}
