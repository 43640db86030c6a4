/** Files of an application: in the bucket of the region that it runs in, copied to the other one a little later. */
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { openBucket } from '../../activities/objects/s3.js';
import { sync } from '../../activities/objects/sync.js';
import type { Bucket } from '../../src/runbook/schema.js';
import { s3Client, s3ErrorName } from '../../src/s3.js';

const REQUEST_MS = 5_000;
/** How far the copy may be behind, milliseconds. */
const COPY_EVERY_MS = 5_000;
const COPIES_AT_ONCE = 4;

export class Files {
  private copied = true;
  private readonly timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly client: S3Client,
    private readonly bucket: Bucket,
    copy: Bucket | undefined,
  ) {
    if (copy === undefined) return;
    this.timer = setInterval(() => void this.copyTo(copy), COPY_EVERY_MS);
    this.timer.unref();
  }

  /** @param copy where what is new is copied to; undefined: nowhere */
  static async open(bucket: Bucket, copy: Bucket | undefined): Promise<Files> {
    return new Files(await s3Client(bucket, REQUEST_MS), bucket, copy);
  }

  /** The file of a row; undefined: it is not there. */
  async read(key: string): Promise<Uint8Array | undefined> {
    try {
      const answer = await this.client.send(new GetObjectCommand({ Bucket: this.bucket.bucket, Key: key }));
      return await answer.Body?.transformToByteArray();
    } catch (error) {
      if (s3ErrorName(error) === 'NoSuchKey') return undefined;
      throw error;
    }
  }

  async write({ key, content }: { readonly key: string; readonly content: Uint8Array }): Promise<void> {
    await this.client.send(
      new PutObjectCommand({
        Bucket: this.bucket.bucket,
        Key: key,
        Body: content,
        ContentType: 'text/plain; charset=utf-8',
      }),
    );
    this.copied = false;
  }

  close(): void {
    clearInterval(this.timer);
    this.client.destroy();
  }

  private async copyTo(copy: Bucket): Promise<void> {
    if (this.copied) return;
    this.copied = true;
    const signal = AbortSignal.timeout(60_000);
    const [from, to] = await Promise.all([openBucket(this.bucket, signal), openBucket(copy, signal)]);
    try {
      await sync(from, to, COPIES_AT_ONCE);
    } catch {
      // The next time, then.
      this.copied = false;
    } finally {
      from.close();
      to.close();
    }
  }
}
