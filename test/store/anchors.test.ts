import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { statSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import pino from 'pino';
import { readPublicKey, signingKey } from '../../src/evidence/key.js';
import { s3Client } from '../../src/s3.js';
import { type AnchorBucket, openAnchorBucket } from '../../src/store/anchor-bucket.js';
import { anchorKey, makeAnchor } from '../../src/store/anchor-document.js';
import { readAnchors } from '../../src/store/anchor-journal.js';
import { verifyAnchored } from '../../src/store/anchor-verify.js';
import { Anchors } from '../../src/store/anchors.js';
import { BEFORE_THE_FIRST, chain, type JournalBody } from '../../src/store/chain.js';
import { journalBody } from '../../src/store/journal.js';
import { temporaryFolder } from '../drivers/support/folder.js';
import { startVault, type TestVault } from '../drivers/support/s3.js';
import { entries, runRef } from '../support/store.js';

let s3: TestVault;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let client: S3Client;
let bucket: AnchorBucket;
let publicKey: KeyObject | undefined;
const open: Anchors[] = [];
const quiet = pino({ level: 'silent' });

beforeAll(async () => {
  folder = await temporaryFolder('anchors');
  process.env.MUSTER_HOME = folder.path;
  s3 = await startVault();
  client = await s3Client(s3.anchor, 5_000);
  bucket = await openAnchorBucket(s3.anchor, 5_000);
  publicKey = readPublicKey((await signingKey()).publicKeyPem);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((anchors) => anchors.close()));
});
afterAll(async () => {
  bucket.close();
  client.destroy();
  await s3.remove();
  await folder.remove();
  delete process.env.MUSTER_HOME;
});

/** Anchors as a worker process keeps them; of the same name, with the same spool. */
function anchorsOf(spool: string): Anchors {
  const anchors = new Anchors({ spool: join(folder.path, spool), restMs: 30, log: quiet });
  open.push(anchors);
  return anchors;
}

const bodies = (runId: string, from: number, to: number): JournalBody[] =>
  entries(from, to).map((entry) => journalBody(runRef(runId), entry));

/** Hash of the last of the run's first `count` entries. */
function headAt(runId: string, count: number): string {
  return chain(BEFORE_THE_FIRST, bodies(runId, 1, count)).at(-1)?.hash ?? BEFORE_THE_FIRST;
}

async function keep(anchors: Anchors, runId: string, from: number, to: number): Promise<void> {
  await anchors.keep({ anchor: s3.anchor, after: headAt(runId, from - 1) }, bodies(runId, from, to));
}

const waiting = (spool: string) => readdir(join(folder.path, spool)).catch(() => []);
const keyOf = (runId: string, from: number, to: number) => anchorKey({ runId, adoption: 0, from, to });

async function put(key: string, body: string): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: s3.anchor.bucket, Key: key, Body: body }));
}

async function textOf(key: string): Promise<string> {
  const [version] = await bucket.versions(key);
  if (version === undefined) throw new Error(`${key} is not there`);
  return (await bucket.read(version)).text;
}

describe('anchors', () => {
  test('hold the whole journal, which is read and checked with the bucket and the public key alone', async () => {
    const anchors = anchorsOf('whole');
    await keep(anchors, 'whole', 1, 3);
    await keep(anchors, 'whole', 4, 4);
    const read = await readAnchors(bucket, 'whole', publicKey);
    expect(read.problems).toEqual([]);
    expect(read.objects).toBe(2);
    expect(read.entries.map(({ body }) => body)).toEqual(bodies('whole', 1, 4));
    expect(verifyAnchored(read.entries)).toMatchObject({
      intact: true,
      complete: true,
      head: { entries: 4, hash: headAt('whole', 4) },
    });
    expect(await waiting('whole')).toEqual([]);
  });

  test('can neither be deleted nor unlocked, whatever the rights', async () => {
    await keep(anchorsOf('locked'), 'locked', 1, 1);
    const key = keyOf('locked', 1, 1);
    const [version] = await bucket.versions(key);
    const of = { Bucket: s3.anchor.bucket, Key: key, VersionId: version?.versionId };
    await expect(
      client.send(new DeleteObjectCommand({ ...of, BypassGovernanceRetention: true })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: expect.any(Number) } });
    await expect(
      client.send(
        new PutObjectRetentionCommand({
          ...of,
          BypassGovernanceRetention: true,
          Retention: { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 1_000) },
        }),
      ),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: expect.any(Number) } });
    expect((await readAnchors(bucket, 'locked', publicKey)).problems).toEqual([]);
  });

  test('made again by an attempt whose answer was lost stay one object with one version', async () => {
    await keep(anchorsOf('one'), 'twice', 1, 2);
    await keep(anchorsOf('other'), 'twice', 1, 2);
    expect(await bucket.versions('journal/twice/')).toHaveLength(1);
  });

  test('are spooled while the bucket is away, and follow in order by themselves, also after a crash', async () => {
    const first = anchorsOf('outage');
    await keep(first, 'outage', 1, 1);
    await s3.stop();
    try {
      await keep(first, 'outage', 2, 3);
      await keep(anchorsOf('outage'), 'outage', 4, 5);
      expect(await waiting('outage')).not.toEqual([]);
    } finally {
      await s3.start();
    }
    await first.close();
    expect(await anchorsOf('outage').replay()).toBe(true);
    const read = await readAnchors(bucket, 'outage', publicKey);
    expect(verifyAnchored(read.entries)).toMatchObject({
      intact: true,
      complete: true,
      head: { entries: 5, hash: headAt('outage', 5) },
    });
    expect(await waiting('outage')).toEqual([]);
  });

  test('do not hold a run up: a bucket that hangs is waited for once, then left alone for a while', async () => {
    const anchors = new Anchors({ spool: join(folder.path, 'hangs'), restMs: 60_000, log: quiet });
    open.push(anchors);
    const nowhere = { ...s3.anchor, endpoint: 'https://127.0.0.1:1' };
    await anchors.keep({ anchor: nowhere, after: BEFORE_THE_FIRST }, bodies('hangs', 1, 1));
    const begun = performance.now();
    await anchors.keep({ anchor: nowhere, after: headAt('hangs', 1) }, bodies('hangs', 2, 2));
    expect(performance.now() - begun).toBeLessThan(500);
    // Another system's bucket is not left alone with it.
    await keep(anchors, 'elsewhere', 1, 1);
    expect((await readAnchors(bucket, 'elsewhere', publicKey)).objects).toBe(1);
  });

  test('of a bucket without object lock are refused, not left unlocked', async () => {
    const unlocked = await openAnchorBucket({ ...s3.anchor, bucket: 'no-such-bucket' }, 5_000);
    await expect(unlocked.create('journal/x', '{}')).rejects.toMatchObject({ code: 'AnchorMissing' });
    unlocked.close();
  });
});

describe('whoever may write to the bucket is found out:', () => {
  test('an object written over, and one hidden by a delete marker; what is below counts', async () => {
    await keep(anchorsOf('over'), 'over', 1, 2);
    await keep(anchorsOf('over'), 'over', 3, 3);
    const altered = (await textOf(keyOf('over', 1, 2))).replace('step 2 is done', 'step 2 was done');
    await put(keyOf('over', 1, 2), altered);
    await client.send(new DeleteObjectCommand({ Bucket: s3.anchor.bucket, Key: keyOf('over', 3, 3) }));
    const read = await readAnchors(bucket, 'over', publicKey);
    expect(read.problems).toEqual([
      expect.stringMatching(
        /000001-000002\.json, version .*, is not what was signed: it was altered, in entry 2\./,
      ),
      expect.stringMatching(/000003-000003\.json was deleted: a marker hides it/),
    ]);
    expect(read.entries.map(({ body }) => body)).toEqual(bodies('over', 1, 3));
  });

  test('an object that was put there before: what belongs there is anchored over it, and counts', async () => {
    await put(keyOf('before', 1, 2), 'taken');
    await keep(anchorsOf('before'), 'before', 1, 2);
    await keep(anchorsOf('again'), 'before', 1, 2);
    const read = await readAnchors(bucket, 'before', publicKey);
    expect(read.entries.map(({ body }) => body)).toEqual(bodies('before', 1, 2));
    expect(read.covered).toEqual([expect.stringMatching(/000001-000002\.json, version .*, is no anchor/)]);
    expect(await bucket.versions(keyOf('before', 1, 2))).toHaveLength(2);
  });

  test('an object that was put there unsigned, and one that is no anchor at all', async () => {
    await keep(anchorsOf('forged'), 'forged', 1, 1);
    const text = await textOf(keyOf('forged', 1, 1));
    const forged = { ...JSON.parse(text), from: 2, to: 2 };
    await put(keyOf('forged', 2, 2), JSON.stringify(forged));
    await put(keyOf('forged', 3, 3), 'nothing');
    const { problems } = await readAnchors(bucket, 'forged', publicKey);
    expect(problems).toEqual([
      expect.stringMatching(/000002-000002\.json is not what was signed/),
      expect.stringMatching(/000003-000003\.json is no anchor/),
    ]);
  });

  test('an anchor signed with another key, once the right one is given', async () => {
    await keep(anchorsOf('foreign'), 'foreign', 1, 1);
    const other = generateKeyPairSync('ed25519').publicKey;
    expect((await readAnchors(bucket, 'foreign', other)).problems).toEqual([
      expect.stringMatching(/was signed with another key/),
    ]);
    expect((await readAnchors(bucket, 'foreign', undefined)).problems).toEqual([]);
  });

  test('an anchor that is signed but under no lock', async () => {
    const document = makeAnchor(
      chain(BEFORE_THE_FIRST, bodies('bare', 1, 1)),
      await signingKey(),
      new Date(),
    );
    await put(anchorKey(document), JSON.stringify(document));
    expect((await readAnchors(bucket, 'bare', publicKey)).problems).toEqual([
      expect.stringMatching(/000001-000001\.json is under no lock in compliance mode/),
    ]);
  });

  test('an anchor under another name', async () => {
    await keep(anchorsOf('moved'), 'moved', 1, 1);
    await client.send(
      new CopyObjectCommand({
        Bucket: s3.anchor.bucket,
        CopySource: `${s3.anchor.bucket}/${keyOf('moved', 1, 1)}`,
        Key: keyOf('moved', 7, 7),
      }),
    );
    expect((await readAnchors(bucket, 'moved', publicKey)).problems).toEqual([
      expect.stringMatching(/000007-000007\.json was written under another name/),
    ]);
  });

  test('an object that is gone: its entries are named', async () => {
    const anchors = anchorsOf('gap');
    await keep(anchors, 'gap', 1, 1);
    await keep(anchors, 'gap', 4, 4);
    const verdict = verifyAnchored((await readAnchors(bucket, 'gap', publicKey)).entries);
    expect(verdict).toMatchObject({ complete: false });
    expect(verdict.findings.map(({ kind, index }) => `${kind} ${index}`)).toEqual(['missing 2', 'missing 3']);
  });
});

test('what waits to be anchored is readable for its own account, and holds references, never secrets', async () => {
  await s3.stop();
  try {
    await keep(anchorsOf('private'), 'private', 1, 1);
    const [name] = await waiting('private');
    const path = join(folder.path, 'private', name ?? '');
    const text = await readFile(path, 'utf8');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(text).toContain('"accessKeyId":"file:');
    expect(text).not.toContain('vault-secret');
  } finally {
    await s3.start();
  }
});
