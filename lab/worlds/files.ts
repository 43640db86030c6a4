/** The files of a system beside Payymo: their buckets, what is in them from the beginning, and where the application finds them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import type { Bucket } from '../../src/runbook/schema.js';
import { exists } from '../folders.js';
import { REGIONS, type RegionName, type WorldLayout } from '../layout.js';
import { type PartContext, regionStore } from '../parts/all.js';
import { type ObjectStore, withStore } from '../parts/s3.js';
import type { LabState } from '../state.js';
import type { StoredFile, WorldDefinition, WorldFiles } from './definition.js';

const AT_ONCE = 8;

/** The bucket of a system's files in a region. */
export function worldFilesBucket({ regions }: LabState, { buckets }: WorldFiles, region: RegionName): Bucket {
  const { region: code, endpoint, caFile, accessKeyId, secretAccessKey } = regions[region];
  return {
    region: code,
    endpoint,
    bucket: buckets[region],
    pathStyle: true,
    caFile,
    accessKeyId,
    secretAccessKey,
  };
}

/** What the application in a region is told of its files; nothing where it keeps none. */
export function filesEnvironment(
  state: LabState,
  { files }: WorldDefinition,
  region: RegionName,
): Record<string, string> {
  if (files === undefined) return {};
  return {
    WORLD_FILES: JSON.stringify(worldFilesBucket(state, files, region)),
    // What is new in the west is copied to the east; there is no third region.
    ...(region === 'west'
      ? { WORLD_FILES_COPY: JSON.stringify(worldFilesBucket(state, files, 'east')) }
      : {}),
  };
}

/**
 * Makes the buckets with what is in them from the beginning, once: what a disaster takes afterwards stays gone. An attempt that was cut
 * short is made again.
 */
export async function ensureWorldFiles(
  context: PartContext,
  {
    layout: { base },
    definition: { files },
  }: { readonly layout: WorldLayout; readonly definition: WorldDefinition },
): Promise<void> {
  const made = join(base, 'files-made');
  if (files === undefined || (await exists(made))) return;
  await Promise.all(
    REGIONS.map((region) => fill(regionStore(context, region), files.buckets[region], files.seeded())),
  );
  await writeFile(made, `${Object.values(files.buckets).join('\n')}\n`);
}

function fill(store: ObjectStore, Bucket: string, seeded: Iterable<StoredFile>): Promise<void> {
  return withStore(store, async (client) => {
    try {
      await client.send(new CreateBucketCommand({ Bucket }));
    } catch (error) {
      if ((error as { name?: string }).name !== 'BucketAlreadyOwnedByYou') throw error;
    }
    await client.send(
      new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const waiting = seeded[Symbol.iterator]();
    const putNext = async (): Promise<void> => {
      for (let next = waiting.next(); next.done !== true; next = waiting.next()) {
        const { key: Key, content: Body } = next.value;
        await client.send(
          new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/plain; charset=utf-8' }),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, putNext));
  });
}
