/** Evidence in a real S3 store under object lock: whole, hashed by file, signed, and the same when it is done again. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { DeleteObjectCommand, GetObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { extract } from 'tar-stream';
import type { Quarantine, StateCaptured } from '../../activities/contract.js';
import { custodyActivities } from '../../activities/custody/index.js';
import { packDirectory, piecesOf } from '../../activities/custody/pack.js';
import { preserveActivities } from '../../activities/preserve/index.js';
import { acquireFencingToken, withVault } from '../../activities/vault/index.js';
import type { Anchor, PgbackrestBackup } from '../../src/runbook/schema.js';
import { s3Client } from '../../src/s3.js';
import { generationOf, makeCluster, type TestCluster } from './support/postgres.js';
import { startVault, type TestVault } from './support/s3.js';
import { stepOf } from './support/steps.js';

const { captureState, secureEvidence } = custodyActivities();
const at = stepOf('run-1');
const backup = {
  driver: 'pgbackrest',
  stanza: 'none',
  repositories: [],
  processes: 1,
} as unknown as PgbackrestBackup;
let primary: TestCluster;
let store: TestVault;
let home: string;
let captured: StateCaptured;
let quarantine: Quarantine;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-custody-'));
  process.env.MUSTER_HOME = home;
  [primary, store] = await Promise.all([makeCluster(), startVault()]);
});
afterAll(async () => {
  await Promise.all([primary?.remove(), store?.remove()]);
  await rm(home, { recursive: true, force: true });
  delete process.env.MUSTER_HOME;
});

async function read(key: string): Promise<Buffer> {
  const client = await s3Client(store.anchor, 10_000);
  const { Body } = await client.send(new GetObjectCommand({ Bucket: store.anchor.bucket, Key: key }));
  const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
  client.destroy();
  return bytes;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

test('what the running server knows is kept first, without hashes of passwords', async () => {
  captured = await captureState({ at, damaged: primary.at, evidence: store.anchor });
  const body = await read(captured.key ?? '');
  expect(sha256(body)).toBe(captured.sha256);
  const state = JSON.parse(body.toString()) as Record<string, { usename?: string; rolname?: string }[]>;
  expect(state.sessions?.map(({ usename }) => usename)).toContain('muster');
  expect(state.roles?.map(({ rolname }) => rolname)).toContain('app');
  expect(state['host rules']?.length).toBeGreaterThan(0);
  expect(body.toString()).not.toContain('SCRAM-SHA-256$');
});

test('where the bucket does not take it, it is kept on this machine until the evidence is secured', async () => {
  const evidence: Anchor = { ...store.anchor, bucket: 'payymo-backups' };
  const kept = await captureState({ at: stepOf('run-2'), damaged: primary.at, evidence });
  expect(kept.summary).toContain('NOT LOCKED yet');
  expect(kept.key?.startsWith(`file:${home}/`)).toBe(true);
  expect(sha256(await readFile(kept.key?.slice('file:'.length) ?? ''))).toBe(kept.sha256);
});

test('a cluster that runs is no evidence yet', async () => {
  const directory = primary.at.postgres.service.dataDirectory;
  const running = { directory, bytes: 0, manifest: '', sha256: '', summary: '' };
  await expect(
    secureEvidence({
      at,
      damaged: primary.at,
      quarantine: running,
      backup,
      captured,
      evidence: store.anchor,
    }),
  ).rejects.toMatchObject({ code: 'EvidenceInUse' });
});

test('the quarantined cluster is locked to the byte, and nothing of it can be deleted', async () => {
  const generation = await generationOf(primary);
  const token = await withVault(store.bucket, new AbortController().signal, (open) =>
    acquireFencingToken(open, { ...at, ...generation }),
  );
  quarantine = await preserveActivities().preserveDamaged({
    at,
    damaged: primary.at,
    quarantineDirectory: join(primary.folder, 'quarantine'),
    systemIdentifier: generation.systemIdentifier,
    vault: store.bucket,
    token,
  });
  const input = { at, damaged: primary.at, quarantine, backup, captured, evidence: store.anchor };
  const secured = await secureEvidence(input);
  const custody = await read(secured.custodyKey);
  expect(sha256(custody)).toBe(secured.custodySha256);
  const { objects } = JSON.parse(custody.toString()) as { objects: { key: string; sha256: string }[] };
  const bodies = await Promise.all(objects.map(async ({ key }) => read(key)));
  expect(bodies.map(sha256)).toEqual(objects.map((one) => one.sha256));
  const listed = JSON.parse(
    (bodies[objects.findIndex(({ key }) => key.endsWith('files.json'))] ?? '').toString(),
  ) as {
    files: { path: string; sha256: string }[];
  };
  const packed = Buffer.concat(bodies.filter((_, index) => objects[index]?.key.includes('cluster.tar.gz')));
  expect(await hashesIn(packed)).toEqual(listed.files.map((file) => `${file.sha256} ${file.path}`));
  expect(listed.files.length).toBe(secured.files);

  // Done again, what is there already is left: one version each, and a further document of custody.
  await secureEvidence(input);
  const client = await s3Client(store.anchor, 10_000);
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: store.anchor.bucket }));
  const pieces = Versions.filter(({ Key }) => Key?.includes('cluster.tar.gz'));
  expect(new Set(pieces.map(({ Key }) => Key)).size).toBe(pieces.length);
  for (const { Key, VersionId } of Versions) {
    const one = { Bucket: store.anchor.bucket, Key, VersionId };
    await expect(client.send(new DeleteObjectCommand(one))).rejects.toThrow();
  }
  client.destroy();
}, 60_000);

test('a bucket without object lock takes no evidence', async () => {
  const evidence: Anchor = { ...store.anchor, bucket: 'payymo-backups' };
  // The server is gone by now: there is nothing to keep, and nobody waits for it.
  expect(await captureState({ at, damaged: primary.at, evidence })).toMatchObject({
    key: null,
    summary: expect.stringContaining('NOTHING KEPT'),
  });
  await expect(
    secureEvidence({ at, damaged: primary.at, quarantine, backup, captured, evidence }),
  ).rejects.toMatchObject({ code: 'EvidenceNotLocked' });
});

test('a reader that breaks ends the packing', async () => {
  const broken = packDirectory(
    quarantine.directory,
    new AbortController().signal,
    async (archive) => {
      for await (const piece of piecesOf(archive, 1_000))
        throw new Error(`no room for ${piece.length} bytes`);
    },
    () => undefined,
  );
  await expect(broken).rejects.toThrow('no room for 1000 bytes');
});

async function hashesIn(compressed: Buffer): Promise<string[]> {
  const archive = extract();
  Readable.from([gunzipSync(compressed)]).pipe(archive);
  const found: string[] = [];
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    if (entry.header.type === 'file') found.push(`${sha256(Buffer.concat(chunks))} ${entry.header.name}`);
  }
  return found;
}
