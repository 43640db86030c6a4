import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import {
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  GetObjectRetentionCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { MusterError, messageOf } from '../errors.js';
import type { ArchiveCopy } from '../runbook/schema.js';
import { bucketTitle, s3ErrorName, s3Status } from '../s3.js';
import { heldBefore, type Pinned } from '../s3-versions.js';
import { resolveSecret } from '../secrets.js';
import { earlierFiles } from './earlier.js';
import { damaged, denied, missing, unreachable } from './errors.js';
import type { ArchivePlace, StoredFile } from './place.js';

const CONNECT_MS = 5_000;
/** No byte for this long: the connection is dead. */
const SILENCE_MS = 30_000;
const SOCKETS = 64;
/** S3 takes at most 10,000 parts: an object of 160 GB. */
const PART_BYTES = 16 * 1024 * 1024;
const PARTS_AT_ONCE = 2;
/** How often a download goes on from where it broke off. */
const RESUMES = 5;

/**
 * A bucket. A download that breaks off or ends early goes on from the byte that it reached, of the same object (`If-Match`,
 * Amazon S3 API Reference, GetObject); uploads are multipart, and an object appears when it is whole.
 */
export async function s3Place(
  copy: Extract<ArchiveCopy, { driver: 's3' }>,
  signal: AbortSignal,
): Promise<ArchivePlace> {
  return placeOf(copy, await clientOf(copy), signal, undefined);
}

/** The same bucket as it was when each archive was made: nothing is written to it. */
export async function earlierPlace(
  copy: Extract<ArchiveCopy, { driver: 's3' }>,
  signal: AbortSignal,
): Promise<ArchivePlace> {
  return pinnedPlace(copy, signal, (client) => earlierFiles(client, copy, signal));
}

/** The same bucket as it was at a moment, ISO 8601: nothing is written to it. */
export async function s3PlaceAsOf(
  copy: Extract<ArchiveCopy, { driver: 's3' }>,
  asOf: string,
  signal: AbortSignal,
): Promise<ArchivePlace> {
  const then = { ...copy, title: `${copy.title} as it was before ${asOf}` };
  return pinnedPlace(then, signal, (client) => heldBefore(client, { ...copy, asOf }, signal));
}

async function pinnedPlace(
  copy: Extract<ArchiveCopy, { driver: 's3' }>,
  signal: AbortSignal,
  find: (client: S3Client) => Promise<Pinned>,
): Promise<ArchivePlace> {
  const client = await clientOf(copy);
  try {
    return placeOf(copy, client, signal, await again(() => find(client), signal));
  } catch (error) {
    client.destroy();
    signal.throwIfAborted();
    const status = s3Status(error);
    const make = status === 401 || status === 403 ? denied : unreachable;
    throw make(copy.title, `its versions cannot be listed: ${messageOf(error)}`, error);
  }
}

function placeOf(
  copy: Extract<ArchiveCopy, { driver: 's3' }>,
  client: S3Client,
  signal: AbortSignal,
  pinned: Pinned | undefined,
): ArchivePlace {
  const title = `${copy.title} (${bucketTitle(copy)})`;
  const Bucket = copy.bucket;
  const keyOf = (name: string) => `${copy.prefix}${name}`;
  const failed = (what: string, error: unknown): Error => {
    signal.throwIfAborted();
    if (error instanceof MusterError) return error;
    const status = s3Status(error);
    const make = status === 401 || status === 403 ? denied : unreachable;
    return make(title, `${what}: ${messageOf(error)}`, error);
  };
  const get = (name: string, range?: { readonly from: number; readonly etag: string | undefined }) =>
    client.send(
      new GetObjectCommand({
        Bucket,
        Key: keyOf(name),
        ...(pinned === undefined ? {} : { VersionId: pinned.get(name)?.versionId }),
        ...(range === undefined ? {} : { Range: `bytes=${range.from}-`, IfMatch: range.etag }),
      }),
      { abortSignal: signal },
    );

  /** Goes on after a break; ends when all bytes have come. */
  async function* bytesOf(name: string, first: Awaited<ReturnType<typeof get>>): AsyncGenerator<Buffer> {
    const total = first.ContentLength ?? 0;
    let answer = first;
    let done = 0;
    for (let breaks = 0; ; breaks++) {
      try {
        for await (const chunk of answer.Body as Readable) {
          done += (chunk as Buffer).length;
          yield chunk as Buffer;
        }
        if (done >= total) return;
        throw new Error(`it ended after ${done} of ${total} bytes`);
      } catch (error) {
        signal.throwIfAborted();
        if (breaks >= RESUMES) throw failed(`${name} cannot be read to its end`, error);
        await wait(100 * 2 ** breaks, undefined, { signal });
        answer = await get(name, { from: done, etag: first.ETag }).catch((again) => {
          if (s3Status(again) === 412)
            throw damaged(`${name} in ${title}`, 'was changed while it was read', again);
          if (breaks + 1 >= RESUMES) throw failed(`${name} cannot be read to its end`, again);
          return answer;
        });
      }
    }
  }

  return {
    title,

    async write(name, content) {
      if (pinned !== undefined) throw new TypeError(`${title} is only read`);
      const upload = new Upload({
        client,
        params: { Bucket, Key: keyOf(name), Body: content, ...lockNow(copy) },
        partSize: PART_BYTES,
        queueSize: PARTS_AT_ONCE,
      });
      const stop = () => void upload.abort();
      signal.addEventListener('abort', stop, { once: true });
      try {
        signal.throwIfAborted();
        await upload.done();
      } catch (error) {
        content.destroy();
        throw failed(`${name} cannot be written`, error);
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },

    async open(name) {
      if (pinned?.has(name) === false) throw missing(`${name} in ${title}`);
      try {
        const first = await again(() => get(name), signal);
        return Readable.from(bytesOf(name, first), { objectMode: false, highWaterMark: 256 * 1024 });
      } catch (error) {
        if (s3ErrorName(error) === 'NoSuchKey') throw missing(`${name} in ${title}`);
        throw failed(`${name} cannot be read`, error);
      }
    },

    async read(name, mostBytes) {
      if (pinned?.has(name) === false) return undefined;
      try {
        const answer = await again(() => get(name), signal);
        const size = answer.ContentLength ?? 0;
        if (size > mostBytes) {
          (answer.Body as Readable).destroy();
          throw damaged(`${name} in ${title}`, `has ${size} bytes, at most ${mostBytes} are right`);
        }
        const chunks: Buffer[] = [];
        for await (const chunk of bytesOf(name, answer)) chunks.push(chunk);
        return Buffer.concat(chunks);
      } catch (error) {
        if (s3ErrorName(error) === 'NoSuchKey') return undefined;
        throw failed(`${name} cannot be read`, error);
      }
    },

    async list(prefix) {
      if (pinned !== undefined) {
        return [...pinned].flatMap(([name, { bytes }]) => (name.startsWith(prefix) ? [{ name, bytes }] : []));
      }
      const found: StoredFile[] = [];
      let next: string | undefined;
      try {
        do {
          const page = await again(
            () =>
              client.send(
                new ListObjectsV2Command({ Bucket, Prefix: keyOf(prefix), ContinuationToken: next }),
                { abortSignal: signal },
              ),
            signal,
          );
          for (const { Key, Size } of page.Contents ?? []) {
            if (Key !== undefined) found.push({ name: Key.slice(copy.prefix.length), bytes: Size ?? 0 });
          }
          next = page.IsTruncated === true ? page.NextContinuationToken : undefined;
        } while (next !== undefined);
        return found;
      } catch (error) {
        throw failed('its objects cannot be listed', error);
      }
    },

    async lockOf(name) {
      const limits = { abortSignal: signal };
      const VersionId = pinned?.get(name)?.versionId;
      try {
        const own = await client
          .send(new GetObjectRetentionCommand({ Bucket, Key: keyOf(name), VersionId }), limits)
          .catch((error: unknown) => {
            if (s3ErrorName(error) === 'NoSuchObjectLockConfiguration') return undefined;
            throw error;
          });
        const { Mode: mode, RetainUntilDate: until } = own?.Retention ?? {};
        if (mode === 'COMPLIANCE' && until !== undefined) return `until ${until.toISOString()}`;
        const { ObjectLockConfiguration } = await client.send(
          new GetObjectLockConfigurationCommand({ Bucket }),
          limits,
        );
        const { Mode, Days, Years } = ObjectLockConfiguration?.Rule?.DefaultRetention ?? {};
        if (Mode !== 'COMPLIANCE') return undefined;
        return `for ${Days === undefined ? `${Years} years` : `${Days} days`}, the default of its bucket`;
      } catch {
        signal.throwIfAborted();
        return undefined;
      }
    },

    close: () => client.destroy(),
  };
}

/** For what is written now. S3 takes whole seconds. */
function lockNow({ lockFor }: Pick<Extract<ArchiveCopy, { driver: 's3' }>, 'lockFor'>) {
  if (lockFor === undefined) return {};
  const until = new Date(Math.ceil((Date.now() + lockFor) / 1_000) * 1_000);
  return { ObjectLockMode: 'COMPLIANCE', ObjectLockRetainUntilDate: until } as const;
}

/** For the start of a request: a busy store answers 503, a broken connection nothing. */
async function again<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      const status = s3Status(error);
      if (tries >= RESUMES || (status !== undefined && status < 500)) throw error;
      await wait(100 * 2 ** tries, undefined, { signal });
    }
  }
}

async function clientOf(copy: Extract<ArchiveCopy, { driver: 's3' }>): Promise<S3Client> {
  const { endpoint, region, pathStyle, caFile, accessKeyId, secretAccessKey } = copy;
  const ca = caFile === undefined ? {} : { ca: await readFile(caFile) };
  return new S3Client({
    region,
    forcePathStyle: pathStyle,
    // Every byte is authenticated and hashed here already; the SDK's own sums are counted in JavaScript. On the way out they
    // stay: a bucket under object lock demands one.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      // An agent of one's own: for a large body the SDK makes one that knows no certificate.
      httpsAgent: new Agent({ keepAlive: true, maxSockets: SOCKETS, ...ca }),
    },
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined || secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: await resolveSecret(accessKeyId),
            secretAccessKey: await resolveSecret(secretAccessKey),
          },
        }),
  });
}
