/** Files of a system as they are, seen with nothing but an S3 client and SQL. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import {
  GetBucketCorsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { FilesReconciled } from '../../activities/contract.js';
import type { RegionName, SiteName } from '../../lab/layout.js';
import { filesBucket } from '../../lab/parts/payymo.js';
import type { LabState } from '../../lab/state.js';
import type { Bucket } from '../../src/runbook/schema.js';
import { s3Client } from '../../src/s3.js';
import { versionPages } from '../../src/s3-versions.js';
import { eventually } from './eventually.js';
import { onLedger } from './lab.js';

/** Key -> SHA-256 in hexadecimal. */
export type Sums = ReadonlyMap<string, string>;

/** Of every file in Payymo's bucket of a region. */
export function filesIn(state: LabState, region: RegionName): Promise<Sums> {
  return sumsIn(filesBucket(state.regions[region]));
}

/** Of every file in a bucket. */
export function sumsIn(bucket: Bucket): Promise<Sums> {
  return withBucket(bucket, async (client, Bucket) => {
    const sums = new Map<string, string>();
    let token: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken: token }));
      for (const { Key } of page.Contents ?? []) {
        if (Key === undefined) continue;
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        const content = (await Body?.transformToByteArray()) ?? new Uint8Array();
        sums.set(Key, createHash('sha256').update(content).digest('hex'));
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    return sums;
  });
}

/** What the rows at a site say of the files. */
export function rowsAt(state: LabState, site: SiteName): Promise<Sums> {
  const { admin, sites } = state.ledger;
  const work = async (client: {
    query: (sql: string) => Promise<{ rows: { key: string; sha256: string }[] }>;
  }) => (await client.query('select key, sha256 from ledger.statements')).rows;
  return onLedger(state, admin, work, sites[site]).then(
    (rows) => new Map(rows.map(({ key, sha256 }) => [key, sha256])),
  );
}

/** The same for Payymo's bucket of a region. */
export function versionsIn(state: LabState, region: RegionName): Promise<ReadonlyMap<string, number>> {
  return versionsOf(filesBucket(state.regions[region]));
}

/** Key -> how many versions there are of it, delete markers among them. */
export function versionsOf(bucket: Bucket): Promise<ReadonlyMap<string, number>> {
  return withBucket(bucket, async (client, Bucket) => {
    const counts = new Map<string, number>();
    const pages = versionPages((from) => client.send(new ListObjectVersionsCommand({ Bucket, ...from })));
    for await (const page of pages) {
      for (const { Key = '' } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
        counts.set(Key, (counts.get(Key) ?? 0) + 1);
      }
    }
    return counts;
  });
}

/** What of the configuration of Payymo's bucket is not as the runbook wants it. */
export function misconfigured(state: LabState, region: RegionName): Promise<readonly string[]> {
  return misconfiguredIn(filesBucket(state.regions[region]), state.payymo.appUrl);
}

/** @param origin of the pages that the bucket lets in */
export function misconfiguredIn(bucket: Bucket, origin: string): Promise<readonly string[]> {
  return withBucket(bucket, async (client, Bucket) => {
    const [versioning, cors, policy] = await Promise.all([
      client.send(new GetBucketVersioningCommand({ Bucket })),
      client.send(new GetBucketCorsCommand({ Bucket })).catch(() => undefined),
      client.send(new GetBucketPolicyCommand({ Bucket })).catch(() => undefined),
    ]);
    const origins = cors?.CORSRules?.flatMap((rule) => rule.AllowedOrigins ?? []).join();
    return [
      ...(versioning.Status === 'Enabled' ? [] : [`${Bucket} keeps no versions`]),
      ...(origins === origin ? [] : [`${Bucket} has the CORS origins ${origins}`]),
      ...(policy?.Policy?.includes(`arn:aws:s3:::${Bucket}/*`) ? [] : [`${Bucket} has no policy of its own`]),
    ];
  });
}

/** Rows against files: each file as its row says, and the run has counted exactly what is wrong. */
export function filesAreRight(rows: Sums, files: Sums, told: FilesReconciled): readonly string[] {
  const dangling = [...rows.keys()].filter((key) => !files.has(key)).sort();
  const differing = [...rows].filter(([key, sum]) => files.has(key) && files.get(key) !== sum);
  return [
    ...differing.map(([key]) => `${key} is not what its row says`),
    ...(told.differingCount === 0 ? [] : [`the run names ${told.differingCount} differing files`]),
    ...([...told.dangling].sort().join() === dangling.join()
      ? []
      : [`dangling are ${dangling.join()}; the run names ${told.dangling.join()}`]),
  ];
}

/** @returns false where this machine has no such address */
async function listening(server: Server, port: number, host: string): Promise<boolean> {
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, 'listening');
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL') return false;
    throw error;
  }
}

/** What listens where a lost server was, and counts who comes. */
export class Trap {
  connections = 0;
  readonly #servers: Server[] = [];

  /** @param port on loopback, IPv4 and where there is one IPv6 */
  async open(port: number): Promise<void> {
    for (const host of ['127.0.0.1', '::1']) {
      const server = createServer((socket) => {
        this.connections += 1;
        socket.destroy();
      });
      // A server that was killed holds its port until the last of its threads has ended.
      const listens = await eventually(() => listening(server, port, host));
      if (listens) this.#servers.push(server);
    }
  }

  close(): void {
    for (const server of this.#servers) server.close();
  }
}

async function withBucket<T>(
  bucket: Bucket,
  work: (client: S3Client, bucket: string) => Promise<T>,
): Promise<T> {
  const client = await s3Client(bucket, 10_000);
  try {
    return await work(client, bucket.bucket);
  } finally {
    client.destroy();
  }
}
