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

const KEY = 'dumps/ledger.dump.gz.enc';

/** A dump as it is known to whoever restores it. */
export interface KeptDump {
  readonly folder: string;
  readonly sha256: string;
  /** Roles with their passwords, as SQL. */
  readonly roles: string;
}

/** Makes the dump of the ledger and puts it into both regions. */
export async function keepDump(state: LabState): Promise<KeptDump> {
  const folder = join(state.dir, 'owners-way');
  await mkdir(folder);
  const { uid, gid } = owner();
  await type('chown', [`${uid}:${gid}`, folder]);
  const socket = `--host=${state.ledger.sites.west.socketDir}`;
  const port = `--port=${state.ledger.sites.west.port}`;
  const roles = await type(
    join(state.postgresBin, 'pg_dumpall'),
    [socket, port, '--username=postgres', '--roles-only'],
    { as: 'database' },
  );
  const sha256 = await makeArchive(state, folder, [socket, port, '--username=postgres']);
  for (const region of REGIONS) await upload(state, region, join(folder, 'made'));
  await rm(join(folder, 'made'));
  return { folder, sha256, roles };
}

/** Dump to a file, compress it, encrypt it, as the owner's tools do: one after another. @returns SHA-256 of `made` */
export async function makeArchive(
  state: LabState,
  folder: string,
  connection: readonly string[],
): Promise<string> {
  const at = (name: string) => join(folder, name);
  await type(
    join(state.postgresBin, 'pg_dump'),
    [...connection, '--format=custom', '--compress=0', `--file=${at('dump')}`, state.ledger.database],
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
export async function fetchDump(state: LabState, { folder, sha256 }: KeptDump): Promise<string> {
  const at = (name: string) => join(folder, name);
  const s3 = await connect(state, 'west');
  try {
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: state.regions.west.backupBucket, Key: KEY }),
    );
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

export async function upload(state: LabState, region: RegionName, file: string): Promise<void> {
  const s3 = await connect(state, region);
  try {
    const { size } = await stat(file);
    await s3.send(
      new PutObjectCommand({
        Bucket: state.regions[region].backupBucket,
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
