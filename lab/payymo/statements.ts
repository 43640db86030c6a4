/** The statements that Payymo keeps as files: what is in them, the rows that name them, and the first ones in a store. */
import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { FILE_BUCKETS, type ObjectStore, withStore } from '../parts/s3.js';
import { filesOf, type SeedSize } from './generate.js';

const AT_ONCE = 16;

/** A file and what its row says of it. */
export interface Statement {
  readonly key: string;
  readonly account: number;
  readonly content: Buffer;
  readonly sha256: string;
}

/** A statement with this text. */
export function statement(key: string, account: number, text: string): Statement {
  const content = Buffer.from(text);
  return { key, account, content, sha256: createHash('sha256').update(content).digest('hex') };
}

/** The statements of the generated history: the same on every machine, 1 to 4 KB each. */
export function* seededStatements(size: SeedSize, accounts: number): Generator<Statement> {
  for (let number = 1; number <= filesOf(size); number++) {
    const account = ((number - 1) % accounts) + 1;
    const month = Math.floor((number - 1) / accounts) + 1;
    const key = `statements/${String(account).padStart(6, '0')}/${String(month).padStart(4, '0')}.txt`;
    const lines = Array.from(
      { length: 20 + (number % 60) },
      (_, line) => `${String(line + 1).padStart(4)}  transfer ${number * 1_000 + line}, booked and settled\n`,
    );
    yield statement(key, account, `Payymo\nstatement ${month} of account ${account}\n\n${lines.join('')}`);
  }
}

/** Their rows as lines of COPY's text format. */
export function* statementLines(size: SeedSize, accounts: number, madeIso: string): Generator<string> {
  for (const { key, account, content, sha256 } of seededStatements(size, accounts)) {
    yield `${key}\t${account}\t${content.length}\t${sha256}\t${madeIso}\n`;
  }
}

/** Puts them into the bucket of a region. */
export async function putStatements(store: ObjectStore, size: SeedSize, accounts: number): Promise<void> {
  const statements = seededStatements(size, accounts);
  await withStore(store, async (client) => {
    const putNext = async (): Promise<void> => {
      for (const { key, content, sha256 } of statements) {
        await client.send(
          new PutObjectCommand({
            Bucket: FILE_BUCKETS[store.region],
            Key: key,
            Body: content,
            ContentType: 'text/plain; charset=utf-8',
            ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
          }),
        );
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, putNext));
  });
}
