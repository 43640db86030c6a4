/** Payymo's files in its object store: the one of the region that it runs in, copied to the other one a little later. */
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { openBucket } from '../../activities/objects/s3.js';
import { sync } from '../../activities/objects/sync.js';
import type { Bucket } from '../../src/runbook/schema.js';
import { s3Client, s3ErrorName } from '../../src/s3.js';
import type { FollowingDatabase } from '../service/database.js';
import { type Statement, statement } from './statements.js';

const REQUEST_MS = 5_000;
/** How far the copy may be behind, milliseconds. */
const COPY_EVERY_MS = 5_000;
const COPIES_AT_ONCE = 4;

/** What a row says of its file. */
export interface StatementRow {
  readonly key: string;
  readonly account: number;
  readonly bytes: number;
  readonly sha256: string;
}

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

  async write({ key, content }: Statement): Promise<void> {
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

/** The row of a file; undefined: no statement is called so. */
export function findStatement(database: FollowingDatabase, key: string): Promise<StatementRow | undefined> {
  return database.use(async (client) => {
    const { rows } = await client.query<{
      key: string;
      account_id: string;
      bytes: string;
      sha256: string;
    }>('select key, account_id, bytes, sha256 from ledger.statements where key = $1', [key]);
    const [row] = rows;
    return row && { key, account: Number(row.account_id), bytes: Number(row.bytes), sha256: row.sha256 };
  });
}

/**
 * Makes a statement of an account: the file first, then its row, so that no row is without its file.
 *
 * @param id chosen by the client; makes asking twice harmless
 */
export async function makeStatement(
  database: FollowingDatabase,
  files: Files,
  id: string,
  account: number,
): Promise<StatementRow> {
  const key = `statements/${String(account).padStart(6, '0')}/${id}.txt`;
  const before = await findStatement(database, key);
  if (before !== undefined) return before;
  const { rows } = await database.use((client) =>
    client.query<{ balance_cents: string }>('select balance_cents from ledger.accounts where id = $1', [
      account,
    ]),
  );
  const made = statement(
    key,
    account,
    `Payymo\nstatement of account ${account}\nbalance ${rows[0]?.balance_cents} cents\n`,
  );
  await files.write(made);
  const { sha256, content } = made;
  await database.use((client) =>
    client.query('insert into ledger.statements values ($1, $2, $3, $4, clock_timestamp())', [
      ...[key, account, content.length, sha256],
    ]),
  );
  return { key, account, bytes: content.length, sha256 };
}
