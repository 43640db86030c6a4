/** Somebody was in: a clean copy takes over with new credentials, and what the intruder left is kept as evidence. */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { extract } from 'tar-stream';
import type {
  CredentialsRotated,
  EvidenceSecured,
  IntrusionSigns,
  RecoveryPoint,
} from '../../activities/contract.js';
import { type Breach, breakIn } from '../../lab/break/breach.js';
import { waitForPayments } from '../../lab/demo/payments.js';
import { labCode } from '../../lab/people.js';
import type { LabState, LoginState } from '../../lab/state.js';
import { canonicalJson } from '../../src/model/canonical-json.js';
import { onLedger, secretOf } from '../support/lab.js';
import { muster } from '../support/muster-process.js';
import { payAndArchive } from '../support/payments.js';
import { cell } from './support/cell.js';
import { labNow, ledgerIsRight } from './support/ledger.js';

/** As it was before the intruder came: every password in it is stolen. */
let stolen: LabState;
let breach: Breach;

cell({
  scenario: 'breach',
  system: 'payymo',
  strike: async (stage) => {
    stolen = await labNow(stage);
    const safe = new Set(await payAndArchive(stage.lab, stage.incident));
    breach = await breakIn(stolen);
    await waitForPayments(stolen, 5);
    return { begin: ['--detected-at', new Date().toISOString()], safe };
  },
  approve: async (incident, gate) => {
    if (gate !== 'security') return incident.approve(gate);
    const person = incident.lab.state.people['security-lead'];
    if (person === undefined) throw new Error('security-lead proves nothing in this lab');
    const args = ['approve', incident.system, gate, '--by', 'security-lead', '--totp', await labCode(person)];
    const done = await muster(args, { ...incident.env, MUSTER_KEY: person.keyFile });
    if (done.code !== 0) throw new Error(`exit code ${done.code}: ${done.stderr}`);
  },
  // The new primary is looked at with the new passwords.
  look: async (recovered) => {
    const state = await labNow(recovered);
    const lab = { dir: recovered.lab.dir, state };
    return ledgerIsRight({ from: 'west', to: 'recovery' })({ ...recovered, lab });
  },
  also: {
    'goes back to the very moment before the intruder': async ({ result }) => {
      const signs = result.outputs['look-for-intrusion'] as IntrusionSigns;
      const whats = signs.signs.map(({ what }) => what).join('; ');
      for (const left of breach.left) expect(whats).toContain(left);
      expect(whats).toContain('ledger.users.email');
      expect(whats).toContain('ledger.users.display_name');
      const { time, backup } = result.outputs['propose-point'] as RecoveryPoint;
      expect(time > breach.startedAt && time < breach.finishedAt).toBe(true);
      expect(Date.parse(time) - Date.parse(breach.startedAt)).toBeLessThan(2_000);
      expect(backup.repository).toBe(2);
    },

    'lets nobody in with anything stolen, neither here nor there': async (recovered) => {
      const { ledger } = await labNow(recovered);
      const logins = [stolen.ledger.admin, stolen.ledger.app, stolen.ledger.deploy, breach.backdoor];
      for (const login of logins) {
        expect(`${login.user}: ${await answer(stolen, login, 'recovery')}`).toBe(`${login.user}: 28P01`);
        expect(`${login.user}: ${await answer(stolen, login, 'west')}`).toBe(`${login.user}: ECONNREFUSED`);
      }
      for (const login of [ledger.admin, ledger.app, ledger.deploy]) {
        expect(`${login.user}: ${await answer(stolen, login, 'recovery')}`).toBe(`${login.user}: in`);
      }
      const { logins: renewed } = recovered.result.outputs['rotate-credentials'] as CredentialsRotated;
      const history = JSON.stringify(recovered.result);
      for (const { newPassword } of renewed) {
        const secret = await secretOf(newPassword);
        expect(secret.length).toBeGreaterThan(30);
        expect(history).not.toContain(secret);
      }
    },

    'has nothing of the intruder in the new primary': async (recovered) => {
      const state = await labNow(recovered);
      const left = await onLedger(
        state,
        state.ledger.admin,
        async (client) =>
          (
            await client.query<{ what: string }>(
              `select rolname as what from pg_roles where rolname = 'ledger_maintenance'
               union all select proname from pg_proc where proname = 'settle'
               union all select tgname from pg_trigger where tgname = 'settle'
               union all select extname from pg_extension where extname = 'dblink'
               union all select relname from pg_class where relname in ('read_me', 'settlement_cache')
               union all select email from ledger.users where email not like '%@%'`,
            )
          ).rows,
        state.ledger.sites.recovery,
      );
      expect(left).toEqual([]);
    },

    'keeps evidence that nobody can change, and that is the cluster to the byte': async (recovered) => {
      const evidence = recovered.result.outputs['secure-evidence'] as EvidenceSecured;
      const custody = JSON.parse((await object(stolen, evidence, evidence.custodyKey)).toString()) as Custody;
      expect(sha256(await object(stolen, evidence, evidence.custodyKey))).toBe(evidence.custodySha256);
      const { signature, ...statement } = custody;
      const key = createPublicKey(custody.signedBy.publicKeyPem);
      const signed = Buffer.from(canonicalJson(statement));
      expect(verify(null, signed, key, Buffer.from(signature, 'base64'))).toBe(true);
      expect(sha256(await object(stolen, evidence, custody.state.key))).toBe(custody.state.sha256);
      await everyObjectIsLocked(stolen, evidence, custody);
      expect(await filesPacked(stolen, evidence, custody)).toEqual(
        await filesListed(stolen, evidence, custody),
      );
    },

    'leaves the investigation to people': async ({ incident, result }) => {
      const shown = await incident.muster('report', result.view.runId, '--json');
      expect(shown.code).toBe(0);
      const { files } = JSON.parse(shown.stdout) as { files: { json: string } };
      const report = await readFile(files.json, 'utf8');
      expect(report).toContain('Find out how the intruder came in');
      expect(report).toContain('Sign of the intruder: role ledger_maintenance');
      const { custodySha256 } = result.outputs['secure-evidence'] as EvidenceSecured;
      expect(report).toContain(custodySha256);
    },
  },
});

/** What a server answers to a login: `in`, or why not. */
async function answer(state: LabState, login: LoginState, site: 'west' | 'recovery'): Promise<string> {
  return onLedger(state, login, async () => 'in', state.ledger.sites[site]).catch(
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );
}

interface Custody {
  readonly objects: readonly { readonly key: string; readonly sha256: string; readonly bytes: number }[];
  readonly state: { readonly key: string; readonly sha256: string };
  readonly signedBy: { readonly publicKeyPem: string };
  readonly signature: string;
}

async function inEvidence<T>({ regions }: LabState, work: (client: S3Client) => Promise<T>): Promise<T> {
  const { endpoint, region, accessKeyId, secretAccessKey, caFile } = regions.east;
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: {
      accessKeyId: await secretOf(accessKeyId),
      secretAccessKey: await secretOf(secretAccessKey),
    },
    requestHandler: { httpsAgent: { ca: await readFile(caFile) }, requestTimeout: 20_000 },
  });
  return work(client).finally(() => client.destroy());
}

function object(state: LabState, { bucket }: EvidenceSecured, key: string): Promise<Buffer> {
  return inEvidence(state, async (client) => {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  });
}

async function everyObjectIsLocked(
  state: LabState,
  { bucket, custodyKey }: EvidenceSecured,
  { objects, state: captured }: Custody,
): Promise<void> {
  await inEvidence(state, async (client) => {
    const { Versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: bucket }));
    const keys = [...objects.map(({ key }) => key), custodyKey, captured.key];
    expect(Versions.map(({ Key }) => Key)).toEqual(expect.arrayContaining(keys));
    for (const { Key, VersionId } of Versions) {
      const of = { Bucket: bucket, Key, VersionId };
      const { Retention } = await client.send(new GetObjectRetentionCommand(of));
      expect(Retention?.Mode).toBe('COMPLIANCE');
      expect(Retention?.RetainUntilDate?.getTime()).toBeGreaterThan(Date.now() + 300 * 86_400_000);
      await expect(client.send(new DeleteObjectCommand(of))).rejects.toThrow();
    }
  });
}

interface Listed {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

async function filesListed(
  state: LabState,
  evidence: EvidenceSecured,
  { objects }: Custody,
): Promise<Listed[]> {
  const key = objects.find((one) => one.key.endsWith('/files.json'))?.key ?? '';
  const { files } = JSON.parse((await object(state, evidence, key)).toString()) as { files: Listed[] };
  return files.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }));
}

async function filesPacked(
  state: LabState,
  evidence: EvidenceSecured,
  { objects }: Custody,
): Promise<Listed[]> {
  const pieces: Buffer[] = [];
  for (const one of objects.filter(({ key }) => key.includes('cluster.tar.gz.'))) {
    const piece = await object(state, evidence, one.key);
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
