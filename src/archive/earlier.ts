/**
 * Archives in a bucket as they were when they were made. Where it keeps versions, what was overwritten or deleted since lies behind
 * the versions of now (Amazon S3 API Reference, ListObjectVersions).
 */
import { ListObjectVersionsCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ArchiveCopy } from '../runbook/schema.js';
import { type Pinned, type PinnedFile, versionPages, writtenAtMs } from '../s3-versions.js';
import { MANIFEST, SIGNATURE } from './manifest.js';

type Bucket = Extract<ArchiveCopy, { driver: 's3' }>;

/**
 * An archive was whole at the moment at which its manifest, which comes last, was first there: of each of its files the newest
 * version of then is meant. Archives that are today what they were then are left out.
 */
export async function earlierFiles(client: S3Client, copy: Bucket, signal: AbortSignal): Promise<Pinned> {
  const archives = new Map<string, Version[]>();
  for await (const version of versionsOf(client, copy, signal)) {
    const folder = version.name.split('/').slice(0, 2).join('/');
    archives.set(folder, [...(archives.get(folder) ?? []), version]);
  }
  const pinned = new Map<string, PinnedFile>();
  for (const [folder, versions] of archives) {
    const whole = asItWas(folder, versions);
    if (whole.every(({ isLatest }) => isLatest)) continue;
    for (const { name, versionId, bytes } of whole) pinned.set(name, { versionId, bytes });
  }
  return pinned;
}

export interface Version extends PinnedFile {
  readonly name: string;
  readonly isLatest: boolean;
  readonly atMs: number;
}

/** @param versions newest first for each name, as S3 lists them */
export function asItWas(folder: string, versions: readonly Version[]): readonly Version[] {
  const firstOf = (file: string) =>
    Math.min(...versions.filter(({ name }) => name === `${folder}/${file}`).map(({ atMs }) => atMs));
  const wholeAtMs = Math.max(firstOf(MANIFEST), firstOf(SIGNATURE));
  // Without either of them there is no archive, and nothing to look for.
  if (!Number.isFinite(wholeAtMs)) return [];
  const found = new Map<string, Version>();
  for (const version of versions) {
    const newer = found.get(version.name);
    // Times may be exact to the second only: of the last one the oldest version is the one that was written with the archive.
    if (version.atMs <= wholeAtMs && (newer === undefined || newer.atMs === wholeAtMs)) {
      found.set(version.name, version);
    }
  }
  // Some stores date a version by when it was replaced: then the order alone tells.
  const names = new Set(versions.map(({ name }) => name));
  if (found.size === names.size) return [...found.values()];
  return [...new Map(versions.map((version) => [version.name, version])).values()];
}

async function* versionsOf(client: S3Client, copy: Bucket, signal: AbortSignal): AsyncGenerator<Version> {
  const { bucket: Bucket, prefix: Prefix } = copy;
  const pages = versionPages((from) =>
    client.send(new ListObjectVersionsCommand({ Bucket, Prefix, ...from }), { abortSignal: signal }),
  );
  for await (const page of pages) {
    // Some stores call a version the latest one although a deletion is.
    const gone = new Set(
      (page.DeleteMarkers ?? []).flatMap(({ Key, IsLatest }) => (IsLatest === true ? [Key] : [])),
    );
    for (const version of page.Versions ?? []) {
      const { Key, VersionId, Size = 0, IsLatest = false } = version;
      if (Key === undefined || VersionId === undefined) continue;
      const [name, isLatest] = [Key.slice(copy.prefix.length), IsLatest && !gone.has(Key)];
      yield { name, versionId: VersionId, bytes: Size, isLatest, atMs: writtenAtMs(version) };
    }
  }
}
