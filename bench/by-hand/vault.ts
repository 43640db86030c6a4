/** The claims in the vault: whoever comes second is refused. */
import { readFile } from 'node:fs/promises';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Bucket } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import type { Hand } from './hand.js';
import { must } from './shell.js';

async function connect(bucket: Bucket): Promise<S3Client> {
  const { region, endpoint, caFile, accessKeyId = '', secretAccessKey = '' } = bucket;
  const credentials = {
    accessKeyId: await resolveSecret(accessKeyId),
    secretAccessKey: await resolveSecret(secretAccessKey),
  };
  return new S3Client({
    region,
    credentials,
    forcePathStyle: true,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(caFile === undefined ? {} : { requestHandler: { httpsAgent: { ca: await readFile(caFile) } } }),
  });
}

export interface Claim {
  readonly kind: 'fence' | 'promotion';
  readonly systemIdentifier: string;
  readonly timeline: number;
}

/** @returns the claim's number */
export async function addClaim(hand: Hand, claim: Claim): Promise<number> {
  const s3 = await connect(hand.vault);
  const Bucket = hand.vault.bucket;
  try {
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: `claims/${hand.runbook.system}/` }),
    );
    const expected = claim.kind === 'fence' ? 0 : 1;
    must(Contents.length === expected, `${expected} claims stand before this one`);
    for (const { Key } of Contents) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      must((await Body?.transformToString())?.includes('by-hand') === true, `${Key} is ours`);
    }
    const number = Contents.length + 1;
    const at = new Date().toISOString();
    await put(s3, Bucket, `claims/${hand.runbook.system}/${String(number).padStart(8, '0')}.json`, {
      ...{ ...claim, number, system: hand.runbook.system, runId: 'by-hand', at },
      ...(claim.kind === 'promotion' ? { fencingToken: 1 } : {}),
    });
    return number;
  } finally {
    s3.destroy();
  }
}

/** Writes down that the promotion has happened. */
export async function recordPromotion(hand: Hand, number: number, timeline: number): Promise<void> {
  const s3 = await connect(hand.vault);
  try {
    const key = `promoted/${hand.runbook.system}/${String(number).padStart(8, '0')}.json`;
    await put(s3, hand.vault.bucket, key, {
      runId: 'by-hand',
      timeline,
      promotedAt: new Date().toISOString(),
    });
  } finally {
    s3.destroy();
  }
}

async function put(s3: S3Client, bucket: string, key: string, body: object): Promise<void> {
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: JSON.stringify(body), IfNoneMatch: '*' }),
  );
}
