import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { findPrograms } from '../../../lab/parts/lookup.js';
import { startPart, untilAnswers } from '../../../lab/parts/part.js';
import { endpointOf, type ObjectStore as LabStore, REGION_CODES, s3Part } from '../../../lab/parts/s3.js';
import { freePorts } from '../../../lab/ports.js';
import { type ProcessMark, stopProcess } from '../../../lab/process.js';
import { makeCertificates } from '../../../lab/tls.js';
import type { Bucket } from '../../../src/runbook/schema.js';
import { temporaryFolder } from './folder.js';

/** One of two real S3 servers that stand for regions. */
export interface Region {
  bucket(name: string): Bucket & { failureDomain: string };
  /** As an application uses it. */
  readonly client: S3Client;
  /** Where the server keeps the newest object of a key: what damages the disk damages it there. */
  fileOf(bucket: string, key: string): string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Where the server keeps the versions of a key that are not the newest: a folder for each, named after its SHA-256. */
export async function versionFiles(region: Region, bucket: string, key: string): Promise<string[]> {
  const sum = createHash('sha256').update(key).digest('hex');
  const store = region.fileOf('', '').replace(/\/data\/?$/, '');
  const parts = [sum.slice(0, 2), sum.slice(2, 4), sum.slice(4, 6), sum];
  const folder = join(store, 'versions', bucket, ...parts);
  return (await readdir(folder)).sort().map((name) => join(folder, name));
}

export interface Regions {
  readonly west: Region;
  readonly east: Region;
  remove(): Promise<void>;
}

export async function startRegions(): Promise<Regions> {
  const folder = await temporaryFolder('regions');
  const programs = findPrograms();
  await Promise.all([
    writeFile(join(folder.path, 'key'), 'files-key\n'),
    writeFile(join(folder.path, 'secret'), 'files-secret\n', { mode: 0o600 }),
  ]);
  const tls = await makeCertificates(join(folder.path, 'tls'), programs.openssl);
  const ports = await freePorts({ west: { addresses: ['127.0.0.1'] }, east: { addresses: ['127.0.0.1'] } });
  const marks = new Map<string, ProcessMark>();
  const region = async (name: 'west' | 'east'): Promise<Region> => {
    const store: LabStore = {
      region: name,
      folder: join(folder.path, name),
      port: ports[name],
      tls,
      accessKeyId: 'files-key',
      secretAccessKey: 'files-secret',
      program: programs.versitygw,
      logFile: join(folder.path, `${name}.log`),
    };
    const part = await s3Part(store);
    const client = new S3Client({
      endpoint: endpointOf(store),
      region: REGION_CODES[name],
      forcePathStyle: true,
      expectContinueHeader: false,
      credentials: { accessKeyId: store.accessKeyId, secretAccessKey: store.secretAccessKey },
      requestHandler: { httpsAgent: { ca: await readFile(tls.ca) } },
    });
    const made: Region = {
      bucket: (bucket) => ({
        endpoint: endpointOf(store),
        region: REGION_CODES[name],
        failureDomain: REGION_CODES[name],
        bucket,
        pathStyle: true,
        caFile: tls.ca,
        accessKeyId: `file:${join(folder.path, 'key')}`,
        secretAccessKey: `file:${join(folder.path, 'secret')}`,
      }),
      client,
      fileOf: (bucket, key) => join(store.folder, 'data', bucket, key),
      async start() {
        const mark = await startPart(part);
        marks.set(name, mark);
        await untilAnswers(part, mark);
      },
      async stop() {
        const mark = marks.get(name);
        if (mark !== undefined) await stopProcess(mark, 'SIGKILL');
      },
    };
    await made.start();
    return made;
  };
  const [west, east] = await Promise.all([region('west'), region('east')]);
  return {
    west,
    east,
    async remove() {
      for (const one of [west, east]) {
        one.client.destroy();
        await one.stop();
      }
      await folder.remove();
    },
  };
}
