/**
 * Amazon S3 and what speaks its API. Keys are listed in the order of their bytes in UTF-8, versions of a key newest first (API
 * reference, ListObjectsV2 and ListObjectVersions). `LastModified` may be exact to the second only.
 */
import { setMaxListeners } from 'node:events';
import {
  AbortMultipartUploadCommand,
  type CORSRule,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  type DeleteMarkerEntry,
  DeleteObjectCommand,
  GetBucketCorsCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketCorsCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { PermanentError } from '../../src/errors.js';
import type { Bucket, ObjectStore } from '../../src/runbook/schema.js';
import { bucketTitle, s3Client, s3ErrorName, s3Status } from '../../src/s3.js';
import { versionPages, writtenAtMs } from '../../src/s3-versions.js';
import type { BucketDriver, KeyHistory, ObjectHeaders, ObjectVersion } from './driver.js';
import { storeError } from './s3-errors.js';

/** One request; the body of an answer may take longer as long as it flows. */
const REQUEST_MS = 30_000;

/** @param signal ends every request when it is aborted */
export async function openBucket(bucket: Bucket, signal: AbortSignal): Promise<BucketDriver> {
  // Many requests at once listen to it.
  const own = AbortSignal.any([signal]);
  setMaxListeners(0, own);
  return driver(await s3Client(bucket, REQUEST_MS), bucket, own);
}

function driver(client: S3Client, bucket: Bucket, signal: AbortSignal): BucketDriver {
  const Bucket = bucket.bucket;
  const title = bucketTitle(bucket);
  const limits = { abortSignal: signal };
  const ask = async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      throw storeError(title, error);
    }
  };
  /** undefined where the store answers that there is no such thing. */
  const askFor = <T>(absent: readonly string[], request: () => Promise<T>): Promise<T | undefined> =>
    ask(async () => {
      try {
        return await request();
      } catch (error) {
        if (absent.includes(s3ErrorName(error) ?? '')) return undefined;
        throw error;
      }
    });

  return {
    title,

    async *list(after) {
      let token: string | undefined;
      do {
        const page = await ask(() =>
          client.send(
            new ListObjectsV2Command({ Bucket, StartAfter: after, ContinuationToken: token }),
            limits,
          ),
        );
        yield (page.Contents ?? []).flatMap(({ Key: key, Size: bytes = 0, ETag }) =>
          key === undefined ? [] : [{ key, bytes, etag: plainTag(ETag) }],
        );
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },

    async *histories(prefix, after) {
      const pages = versionPages(
        (from) =>
          ask(() => client.send(new ListObjectVersionsCommand({ Bucket, Prefix: prefix, ...from }), limits)),
        after,
      );
      let open: ObjectVersion[] = [];
      for await (const page of pages) {
        const found = [
          ...(page.Versions ?? []).map((one) => versionOf('version', one)),
          ...(page.DeleteMarkers ?? []).map((one) => versionOf('delete-marker', one)),
        ];
        const whole = byKey([...open, ...found]);
        // The last key may go on with the next page.
        open = page.IsTruncated === true ? [...(whole.pop()?.versions ?? [])] : [];
        yield* whole;
      }
    },

    get: (key, versionId) =>
      askFor(['NoSuchKey', 'NoSuchVersion'], async () => {
        const answer = await client.send(
          new GetObjectCommand({ Bucket, Key: key, VersionId: versionId, ChecksumMode: 'ENABLED' }),
          limits,
        );
        return {
          bytes: answer.ContentLength ?? 0,
          etag: isOpaque(answer) ? '' : plainTag(answer.ETag),
          stream: guarded(answer.Body as AsyncIterable<Uint8Array>, title, signal),
          headers: headersOf(answer),
        };
      }),

    part: (key, number, versionId) =>
      ask(async () => {
        const answer = await client
          .send(new HeadObjectCommand({ Bucket, Key: key, VersionId: versionId, PartNumber: number }), limits)
          .catch((error: unknown) => {
            // An answer to HEAD has no body that says more.
            if (UNKNOWN_PART.has(s3Status(error) ?? 0)) return undefined;
            throw error;
          });
        if (answer === undefined) return undefined;
        const { PartsCount: count, ContentLength: bytes } = answer;
        return count === undefined || bytes === undefined ? undefined : { bytes, count };
      }),

    bringBack: (version) =>
      ask(async () => {
        const { key, versionId } = version;
        const path = `${Bucket}/${key}`.split('/').map(encodeURIComponent).join('/');
        const copied = await client.send(
          new CopyObjectCommand({
            Bucket,
            Key: key,
            CopySource: `${path}?versionId=${encodeURIComponent(versionId)}`,
            MetadataDirective: 'COPY',
          }),
          limits,
        );
        const now = await client.send(new HeadObjectCommand({ Bucket, Key: key }), limits);
        return {
          key,
          bytes: now.ContentLength ?? 0,
          etag: isOpaque(now) ? '' : plainTag(now.ETag),
          versionId: copied.VersionId,
        };
      }),

    takeBack: ({ key, versionId }) =>
      ask(async () => {
        // Without its id, a delete would only hide what stands there.
        if (versionId === undefined) return;
        await client.send(new DeleteObjectCommand({ Bucket, Key: key, VersionId: versionId }), limits);
      }),

    put: (key, content, sha256, headers) =>
      ask(async () => {
        await client.send(
          new PutObjectCommand({ Bucket, Key: key, Body: content, ChecksumSHA256: sha256, ...headers }),
          limits,
        );
      }),

    async putInParts(key, headers) {
      const upload = await ask(() =>
        client.send(
          new CreateMultipartUploadCommand({ Bucket, Key: key, ChecksumAlgorithm: 'SHA256', ...headers }),
          limits,
        ),
      );
      const parts: CompletedPart[] = [];
      const at = { Bucket, Key: key, UploadId: upload.UploadId };
      return {
        part: (content, sha256) =>
          ask(async () => {
            const PartNumber = parts.length + 1;
            const { ETag } = await client.send(
              new UploadPartCommand({ ...at, PartNumber, Body: content, ChecksumSHA256: sha256 }),
              limits,
            );
            parts.push({ PartNumber, ETag, ChecksumSHA256: sha256 });
          }),
        finish: () =>
          ask(async () => {
            await client.send(
              new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts: parts } }),
              limits,
            );
          }),
        // Also after a cancellation: what is left open costs money until somebody finds it.
        abort: async () => {
          const patience = { abortSignal: AbortSignal.timeout(REQUEST_MS) };
          await client.send(new AbortMultipartUploadCommand(at), patience).catch(() => undefined);
        },
      };
    },

    exists: async () => {
      const found = await askFor(['NotFound', 'NoSuchBucket'], () =>
        client.send(new HeadBucketCommand({ Bucket }), limits),
      );
      return found !== undefined;
    },

    create: () =>
      ask(async () => {
        try {
          await client.send(new CreateBucketCommand({ Bucket }), limits);
        } catch (error) {
          const name = s3ErrorName(error);
          if (name === 'BucketAlreadyOwnedByYou') return;
          if (name !== 'BucketAlreadyExists') throw error;
          throw new PermanentError('BucketTaken', `The name of ${title} belongs to somebody else.`, {
            next: 'Name another bucket in the runbook (objects.<store>.primary.bucket) and in the application, then start again.',
            cause: error,
          });
        }
      }),

    isVersioned: async () => {
      const { Status } = await ask(() => client.send(new GetBucketVersioningCommand({ Bucket }), limits));
      return Status === 'Enabled';
    },

    switchOnVersioning: () =>
      ask(async () => {
        await client.send(
          new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
          limits,
        );
      }),

    async configuration() {
      const [cors, policy] = await Promise.all([
        askFor(['NoSuchCORSConfiguration'], () => client.send(new GetBucketCorsCommand({ Bucket }), limits)),
        askFor(['NoSuchBucketPolicy'], () => client.send(new GetBucketPolicyCommand({ Bucket }), limits)),
      ]);
      return { cors: (cors?.CORSRules ?? []).map(ruleOf), policy: policy?.Policy };
    },

    async configure({ cors, policy }) {
      if (cors.length > 0) {
        const CORSConfiguration = { CORSRules: cors.map(asRule) };
        await ask(() => client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration }), limits));
      }
      if (policy !== undefined) {
        await ask(() => client.send(new PutBucketPolicyCommand({ Bucket, Policy: policy }), limits));
      }
    },

    close: () => client.destroy(),
  };
}

function versionOf(
  kind: ObjectVersion['kind'],
  one: DeleteMarkerEntry & { readonly Size?: number | undefined; readonly ETag?: string | undefined },
): ObjectVersion {
  return {
    kind,
    key: one.Key ?? '',
    versionId: one.VersionId ?? 'null',
    bytes: one.Size ?? 0,
    etag: plainTag(one.ETag),
    atMs: writtenAtMs(one),
    latest: one.IsLatest === true,
  };
}

/** Keys in their order; of each the newest version first. Versions and delete markers come in two lists. */
function byKey(versions: readonly ObjectVersion[]): KeyHistory[] {
  const keys = new Map<string, ObjectVersion[]>();
  for (const one of versions) keys.set(one.key, [...(keys.get(one.key) ?? []), one]);
  return [...keys]
    .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
    .map(([key, found]) => ({
      key,
      versions: found.sort((a, b) => Number(b.latest) - Number(a.latest) || b.atMs - a.atMs),
    }));
}

/** Its entity tag is no MD5 (Amazon S3 API reference, `Object`: SSE-C and SSE-KMS). */
function isOpaque({
  ServerSideEncryption,
  SSECustomerAlgorithm,
}: Pick<GetObjectCommandOutput, 'ServerSideEncryption' | 'SSECustomerAlgorithm'>): boolean {
  return SSECustomerAlgorithm !== undefined || ServerSideEncryption?.startsWith('aws:kms') === true;
}

function plainTag(etag: string | undefined): string {
  return (etag ?? '').replaceAll('"', '');
}

function headersOf(answer: GetObjectCommandOutput): ObjectHeaders {
  const { ContentType, CacheControl, ContentDisposition, ContentEncoding, ContentLanguage, Metadata } =
    answer;
  return {
    ...(ContentType === undefined ? {} : { ContentType }),
    ...(CacheControl === undefined ? {} : { CacheControl }),
    ...(ContentDisposition === undefined ? {} : { ContentDisposition }),
    ...(ContentEncoding === undefined ? {} : { ContentEncoding }),
    ...(ContentLanguage === undefined ? {} : { ContentLanguage }),
    ...(Metadata === undefined ? {} : { Metadata }),
  };
}

/** A body that breaks off, stands still, or differs from the checksum that the store holds, fails like any other request. */
async function* guarded(
  body: AsyncIterable<Uint8Array>,
  title: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`nothing came for ${REQUEST_MS / 1000} s`)), REQUEST_MS);
      });
      const next = await Promise.race([chunks.next(), silence]).finally(() => clearTimeout(timer));
      if (next.done === true) return;
      yield next.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw storeError(title, error);
  } finally {
    void chunks.return?.()?.catch(() => undefined);
  }
}

function ruleOf(rule: CORSRule): ObjectStore['cors'][number] {
  return {
    origins: rule.AllowedOrigins ?? [],
    methods: (rule.AllowedMethods ?? []) as ObjectStore['cors'][number]['methods'],
    headers: rule.AllowedHeaders ?? [],
    expose: rule.ExposeHeaders ?? [],
    ...(rule.MaxAgeSeconds === undefined || rule.MaxAgeSeconds === 0 ? {} : { maxAge: rule.MaxAgeSeconds }),
  };
}

function asRule({ origins, methods, headers, expose, maxAge }: ObjectStore['cors'][number]): CORSRule {
  return {
    AllowedOrigins: origins,
    AllowedMethods: methods,
    ...(headers.length === 0 ? {} : { AllowedHeaders: headers }),
    ...(expose.length === 0 ? {} : { ExposeHeaders: expose }),
    ...(maxAge === undefined ? {} : { MaxAgeSeconds: maxAge }),
  };
}

/** Stores that know no parts of an object answer so. */
const UNKNOWN_PART = new Set([400, 405, 416, 501]);
