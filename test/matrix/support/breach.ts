/** What every recovery from a breach is judged by, whoever's it is: credentials, evidence, locked copies, what is left to people. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import pg from 'pg';
import { extract } from 'tar-stream';
import type { CredentialsRotated, EvidenceSecured, IntrusionSigns } from '../../../activities/contract.js';
import { asOwnerOf, type Intrusion } from '../../../lab/break/intruder.js';
import { labCode } from '../../../lab/people.js';
import type { LabState, LoginState, SiteState } from '../../../lab/state.js';
import { canonicalJson } from '../../../src/model/canonical-json.js';
import type { RunResult } from '../../../src/model/run.js';
import { writtenAtMs } from '../../../src/s3-versions.js';
import type { Incident } from '../../support/incident.js';
import { secretOf } from '../../support/lab.js';
import { muster } from '../../support/muster-process.js';
import type { Recovered } from './cell.js';

/** Security proves who they are at the gate of theirs; the others are opened by `approve`. */
export function gatedBySecurity(approve: (incident: Incident, gate: string) => Promise<void>) {
  return async (incident: Incident, gate: string): Promise<void> => {
    if (gate !== 'security') return approve(incident, gate);
    const person = incident.lab.state.people['security-lead'];
    if (person === undefined) throw new Error('security-lead proves nothing in this lab');
    const how = ['--by', 'security-lead', '--totp', await labCode(person)];
    const done = await muster(['approve', incident.system, gate, ...how], {
      ...incident.env,
      MUSTER_KEY: person.keyFile,
    });
    if (done.code !== 0) throw new Error(`exit code ${done.code}: ${done.stderr}`);
  };
}

export function expectSigns({ outputs }: RunResult, left: readonly string[]): void {
  const { signs } = outputs['look-for-intrusion'] as IntrusionSigns;
  const whats = signs.map(({ what }) => what).join('; ');
  for (const each of left) expect(whats).toContain(each);
}

interface Logins {
  readonly database: string;
  readonly stolen: readonly LoginState[];
  readonly renewed: readonly LoginState[];
  readonly old: SiteState;
  readonly now: SiteState;
}

/** Every stolen login is refused at both places, the new ones are let in, and no new password is in the run's result. */
export async function expectOldCredentialsDead(
  result: RunResult,
  { database, stolen, renewed, old, now }: Logins,
): Promise<void> {
  for (const login of stolen) {
    expect(`${login.user}: ${await answer(now, database, login)}`).toBe(`${login.user}: 28P01`);
    expect(`${login.user}: ${await answer(old, database, login)}`).toBe(`${login.user}: ECONNREFUSED`);
  }
  for (const login of renewed) {
    expect(`${login.user}: ${await answer(now, database, login)}`).toBe(`${login.user}: in`);
  }
  const { logins } = result.outputs['rotate-credentials'] as CredentialsRotated;
  const history = JSON.stringify(result);
  for (const { newPassword } of logins) {
    const secret = await secretOf(newPassword);
    expect(secret.length).toBeGreaterThan(30);
    expect(history).not.toContain(secret);
  }
}

/** What a server answers to a login: `in`, or why not. */
async function answer({ address, port }: SiteState, database: string, login: LoginState): Promise<string> {
  return inDatabase({ address, port, database }, login, async () => 'in').catch(
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

export async function inDatabase<T>(
  { address, port, database }: { readonly address: string; readonly port: number; readonly database: string },
  { user, password }: LoginState,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    ...{ host: address, port, database, user, password: await secretOf(password) },
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Custody {
  readonly objects: readonly { readonly key: string; readonly sha256: string; readonly bytes: number }[];
  readonly state: { readonly key: string; readonly sha256: string };
  readonly signedBy: { readonly publicKeyPem: string };
  readonly signature: string;
}

/** Signed, locked, and to the byte what was packed. @param state a lab that knows the keys of the east */
export async function expectEvidence(state: LabState, { outputs }: RunResult): Promise<void> {
  const evidence = outputs['secure-evidence'] as EvidenceSecured;
  await asOwnerOf(state, 'east', async (client) => {
    const object = objectsIn(client, evidence.bucket);
    const text = await object(evidence.custodyKey);
    const custody = JSON.parse(text.toString()) as Custody;
    expect(sha256(text)).toBe(evidence.custodySha256);
    const { signature, ...statement } = custody;
    const key = createPublicKey(custody.signedBy.publicKeyPem);
    const signed = Buffer.from(canonicalJson(statement));
    expect(verify(null, signed, key, Buffer.from(signature, 'base64'))).toBe(true);
    expect(sha256(await object(custody.state.key))).toBe(custody.state.sha256);
    const keys = [...custody.objects.map((one) => one.key), evidence.custodyKey, custody.state.key];
    await everyVersionIsLocked(client, evidence.bucket, keys);
    expect(await filesPacked(object, custody)).toEqual(await filesListed(object, custody));
  });
}

/** The investigation is people's, and stays open. */
export async function expectOpenInvestigation({ incident, result }: Recovered, role: string): Promise<void> {
  const shown = await incident.muster('report', result.view.runId, '--json');
  expect(shown.code).toBe(0);
  const { files } = JSON.parse(shown.stdout) as { files: { json: string } };
  const report = await readFile(files.json, 'utf8');
  expect(report).toContain('Find out how the intruder came in');
  expect(report).toContain(`Sign of the intruder: role ${role}`);
  const { custodySha256 } = result.outputs['secure-evidence'] as EvidenceSecured;
  expect(report).toContain(custodySha256);
}

/** With the very keys that the intruder had: what lay in the bucket before they came cannot be deleted now either. */
export async function expectLocked(
  state: LabState,
  bucket: string,
  { startedAt }: Pick<Intrusion, 'startedAt'>,
): Promise<void> {
  await asOwnerOf(state, 'east', async (client) => {
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const before = Versions.filter((one) => writtenAtMs(one) < Date.parse(startedAt));
    expect(before.length).toBeGreaterThan(0);
    for (const { Key, VersionId } of before.slice(0, 20)) {
      const deleting = client.send(new DeleteObjectCommand({ Bucket: bucket, Key, VersionId }));
      await expect(deleting).rejects.toThrow();
    }
  });
}

type ReadObject = (key: string) => Promise<Buffer>;

function objectsIn(client: S3Client, Bucket: string): ReadObject {
  return async (Key) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
}

async function everyVersionIsLocked(
  client: S3Client,
  Bucket: string,
  keys: readonly string[],
): Promise<void> {
  const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket }));
  expect(Versions.map(({ Key }) => Key)).toEqual(expect.arrayContaining([...keys]));
  for (const { Key, VersionId } of Versions) {
    const of = { Bucket, Key, VersionId };
    const { Retention } = await client.send(new GetObjectRetentionCommand(of));
    expect(Retention?.Mode).toBe('COMPLIANCE');
    expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 300 * 86_400_000);
    await expect(client.send(new DeleteObjectCommand(of))).rejects.toThrow();
  }
}

interface Listed {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

async function filesListed(object: ReadObject, { objects }: Custody): Promise<Listed[]> {
  const key = objects.find((one) => one.key.endsWith('/files.json'))?.key ?? '';
  const { files } = JSON.parse((await object(key)).toString()) as { files: Listed[] };
  return files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }));
}

async function filesPacked(object: ReadObject, { objects }: Custody): Promise<Listed[]> {
  const pieces: Buffer[] = [];
  for (const one of objects.filter(({ key }) => key.includes('cluster.tar.gz.'))) {
    const piece = await object(one.key);
    expect(sha256(piece)).toBe(one.sha256);
    pieces.push(piece);
  }
  const found: Listed[] = [];
  const archive = extract();
  archive.end(gunzipSync(Buffer.concat(pieces)));
  for await (const entry of archive) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
    if (entry.header.type !== 'file') continue;
    const content = Buffer.concat(chunks);
    found.push({ path: entry.header.name, bytes: content.length, sha256: sha256(content) });
  }
  return found;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
