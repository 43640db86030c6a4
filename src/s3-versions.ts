/** Versions of objects: when each was written, and what a bucket held at a moment, whatever was done to it since. */
import {
  type DeleteMarkerEntry,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type ListObjectVersionsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{9}[0-9A-HJKMNP-TV-Z]{16}$/;
const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * When a version or delete marker was written, milliseconds since 1970.
 *
 * versitygw tells of an older version when it became one, not when it was written; but its version ids are ULIDs, which begin
 * with that moment (ULID specification: 48 bits of milliseconds in Crockford's Base32). Those of Amazon S3 are longer.
 */
export function writtenAtMs({
  VersionId,
  LastModified,
}: Pick<DeleteMarkerEntry, 'VersionId' | 'LastModified'>) {
  return ulidTime(VersionId) ?? LastModified?.getTime() ?? 0;
}

function ulidTime(versionId: string | undefined): number | undefined {
  if (versionId === undefined || !ULID.test(versionId)) return undefined;
  return [...versionId.slice(0, 10)].reduce((time, digit) => time * 32 + CROCKFORD.indexOf(digit), 0);
}

/** Where a page of a listing begins. */
export type VersionMarker = Pick<ListObjectVersionsCommandInput, 'KeyMarker' | 'VersionIdMarker'>;

/**
 * The pages of a listing of versions, in their order.
 *
 * @param list asks for one page; what it throws ends the listing
 * @param after only keys after this one; left out: all
 */
export async function* versionPages(
  list: (from: VersionMarker) => Promise<ListObjectVersionsCommandOutput>,
  after?: string,
): AsyncGenerator<ListObjectVersionsCommandOutput> {
  let from: VersionMarker = { KeyMarker: after };
  for (;;) {
    const page = await list(from);
    yield page;
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

/** The version of a file that is meant. */
export interface PinnedFile {
  readonly versionId: string;
  readonly bytes: number;
}

/** By name below the prefix. */
export type Pinned = ReadonlyMap<string, PinnedFile>;

/**
 * What a bucket held below a prefix at a moment: of each key the newest version that was written before it, unless it was deleted
 * then. What is put over a version or deleted later does not count, and nobody can write into the past: it is the store that
 * says when.
 *
 * @param asOf ISO 8601
 * @throws what the store answers
 */
export async function heldBefore(
  client: S3Client,
  {
    bucket: Bucket,
    prefix,
    asOf,
  }: { readonly bucket: string; readonly prefix: string; readonly asOf: string },
  signal: AbortSignal,
): Promise<Pinned> {
  const beforeMs = Date.parse(asOf);
  const newest = new Map<string, PinnedFile & { readonly atMs: number; readonly gone: boolean }>();
  const pages = versionPages((from) =>
    client.send(new ListObjectVersionsCommand({ Bucket, Prefix: prefix, ...from }), { abortSignal: signal }),
  );
  for await (const page of pages) {
    const found = [
      ...(page.Versions ?? []).map((one) => ({ one, bytes: one.Size ?? 0, gone: false })),
      ...(page.DeleteMarkers ?? []).map((one) => ({ one, bytes: 0, gone: true })),
    ];
    for (const { one, bytes, gone } of found) {
      const { Key: key, VersionId: versionId = 'null' } = one;
      const atMs = writtenAtMs(one);
      // Amazon S3 may leave the fraction out: the version is from somewhere in that second.
      const latestMs = atMs % 1_000 === 0 ? atMs + 999 : atMs;
      if (key === undefined || latestMs >= beforeMs || atMs < (newest.get(key)?.atMs ?? 0)) continue;
      newest.set(key, { versionId, bytes, atMs, gone });
    }
  }
  return new Map(
    [...newest].flatMap(([key, { versionId, bytes, gone }]) =>
      gone ? [] : [[key.slice(prefix.length), { versionId, bytes }] as const],
    ),
  );
}
