/**
 * Evidence that outlives the incident: the quarantined cluster whole, with the hash of every file, under a lock elsewhere, and a
 * signed document that says who took what from where and when.
 */
import { sign } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openCatalog } from '../../src/archive/catalog.js';
import { withPlace } from '../../src/archive/place.js';
import { messageOf, PermanentError } from '../../src/errors.js';
import { signingKey } from '../../src/evidence/key.js';
import { canonicalJson } from '../../src/model/canonical-json.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { byDriver } from '../../src/runbook/backups.js';
import { activitySignal, attempt } from '../context.js';
import type { EvidenceSecured, MusterActivities } from '../contract.js';
import { scopeOf } from '../pgbackrest/command.js';
import { readInfo } from '../pgbackrest/info.js';
import { withProgress } from '../progress.js';
import { serviceOf } from '../service/index.js';
import { type EvidenceBucket, type Locked, withEvidence } from './bucket.js';
import { prefixOf } from './names.js';
import { type Packed, packDirectory, piecesOf } from './pack.js';

type Input = Parameters<MusterActivities['secureEvidence']>[0];

/** What one request uploads and, when it fails, uploads again. */
const PIECE_BYTES = 64 * 1024 * 1024;
/** Of the server's log: its end is what the incident is in. */
const MOST_LOG_BYTES = 64 * 1024 * 1024;

export const secureEvidence: MusterActivities['secureEvidence'] = (input) =>
  withProgress({ done: 0, unit: 'bytes', text: 'packing the quarantined cluster' }, (update) =>
    withEvidence(input.evidence, activitySignal(), (bucket) => secure(input, bucket, update)),
  );

async function secure(
  input: Input,
  bucket: EvidenceBucket,
  update: (progress: Progress) => void,
): Promise<EvidenceSecured> {
  const { at, damaged, quarantine, captured, evidence } = input;
  const begun = new Date().toISOString();
  await requireStopped(input);
  const prefix = prefixOf(at);
  // Small, and first: a bucket that takes nothing under a lock says so before hours of packing.
  const quarantined = await bucket.put(
    `${prefix}quarantine.json`,
    await readFile(quarantine.manifest),
    'application/json',
  );
  const { packed, pieces } = await uploadCluster(input, bucket, update);
  const json = (name: string, value: unknown) =>
    bucket.put(`${prefix}${name}`, Buffer.from(`${JSON.stringify(value, null, 1)}\n`), 'application/json');
  const listing = await json('files.json', { schema: 'muster.evidence-files/1', ...packed });
  const log = await uploadLog(input, bucket);
  const backups = await json('backups.json', await backupsOf(input));
  const state = await uploadState(input, bucket);
  const objects = [...pieces, listing, quarantined, ...log, backups, ...(state === undefined ? [] : [state])];
  const key = await signingKey();
  const bytes = packed.files.reduce((sum, file) => sum + file.bytes, 0);
  const statement = {
    schema: 'muster.custody/1',
    run: at.runId,
    system: at.system,
    scenario: at.scenario,
    what: `cluster of ${damaged.site}, stopped and set aside, with the server's log, its last state and the list of its backups`,
    from: { site: damaged.site, host: damaged.postgres.host, directory: quarantine.directory },
    takenBy: { program: 'muster', host: hostname(), account: userInfo().username, attempt: attempt() },
    begun,
    ended: new Date().toISOString(),
    quarantine: { manifest: quarantine.manifest, sha256: quarantine.sha256 },
    // Where it was kept by its own step, that was before anything was done.
    state: { key: state?.key ?? captured.key, sha256: captured.sha256, bytes: captured.bytes },
    cluster: { files: packed.files.length, links: packed.links.length, bytes },
    kept: { bucket: evidence.bucket, region: evidence.region, failureDomain: evidence.failureDomain },
    objects,
    signedBy: { fingerprint: key.fingerprint, publicKeyPem: key.publicKeyPem },
  };
  const signature = sign(null, Buffer.from(canonicalJson(statement)), key.privateKey).toString('base64');
  const custody = await json(`custody-${begun.replaceAll(':', '')}.json`, { ...statement, signature });
  const [lockedUntil = custody.lockedUntil] = [custody, ...objects].map((one) => one.lockedUntil).sort();
  return {
    bucket: evidence.bucket,
    custodyKey: custody.key,
    custodySha256: custody.sha256,
    signedBy: key.fingerprint,
    files: packed.files.length,
    bytes,
    objects: objects.length + 1,
    lockedUntil,
    summary: `${formatBytes(bytes)} in ${formatCount(packed.files.length)} files kept in ${evidence.bucket}, locked until ${lockedUntil}; chain of custody ${custody.key}, SHA-256 ${custody.sha256}, signed by ${key.fingerprint.slice(0, 16)}`,
  };
}

/** What still runs changes what is hashed. @throws PermanentError `EvidenceInUse` */
async function requireStopped({ damaged, quarantine }: Input): Promise<void> {
  const { postgres } = damaged;
  const service = { ...postgres.service, dataDirectory: quarantine.directory };
  const pid = await serviceOf({ ...postgres, service }).pid();
  if (pid === undefined && (await stat(quarantine.directory).catch(() => undefined)) !== undefined) return;
  throw new PermanentError(
    'EvidenceInUse',
    pid === undefined
      ? `There is no cluster in ${quarantine.directory} any more.`
      : `A server runs on ${quarantine.directory} (process ${pid}): it changes what is to be kept.`,
    { next: 'Find out who moved or started it, set it aside again, then retry the step.' },
  );
}

async function uploadCluster(
  { at, quarantine }: Input,
  bucket: EvidenceBucket,
  update: (progress: Progress) => void,
): Promise<{ readonly packed: Packed; readonly pieces: readonly Locked[] }> {
  const pieces: Locked[] = [];
  const packed = await packDirectory(
    quarantine.directory,
    activitySignal(),
    async (archive) => {
      for await (const piece of piecesOf(archive, PIECE_BYTES)) {
        const number = String(pieces.length + 1).padStart(6, '0');
        pieces.push(await bucket.put(`${prefixOf(at)}cluster.tar.gz.${number}`, piece));
      }
    },
    (done) =>
      update({ done, total: quarantine.bytes, unit: 'bytes', text: `packed and locked in ${bucket.title}` }),
  );
  return { packed, pieces };
}

/** The log lies beside the cluster, where whoever was in may have been too: what is there is kept as it is. */
async function uploadLog({ at, damaged }: Input, bucket: EvidenceBucket): Promise<readonly Locked[]> {
  const log = await readFile(damaged.postgres.service.logFile).catch(() => undefined);
  if (log === undefined) return [];
  const end = log.subarray(Math.max(0, log.length - MOST_LOG_BYTES));
  return [await bucket.put(`${prefixOf(at)}server.log.gz`, gzipSync(end))];
}

/** What the server knew, where its own step could not lock it. */
async function uploadState({ at, captured }: Input, bucket: EvidenceBucket): Promise<Locked | undefined> {
  if (captured.key?.startsWith('file:') !== true) return undefined;
  const file = captured.key.slice('file:'.length);
  // Made on another machine: it stays there, and the custody names it.
  const body = await readFile(file).catch(() => undefined);
  if (body === undefined) return undefined;
  return bucket.put(`${prefixOf(at)}${basename(file)}`, body, 'application/json');
}

/** What every copy holds, those included that are not trusted any more. */
const backupsOf = byDriver<Input, [], Promise<unknown>>({
  pgbackrest: ({ damaged, backup }) => {
    const scope = scopeOf(damaged.postgres, backup);
    return Promise.all(
      backup.repositories.map(async ({ number, title }) => ({
        repository: number,
        title,
        info: await readInfo(scope, number).catch(unreadable),
      })),
    );
  },
  archive: ({ at, backup }) =>
    Promise.all(
      backup.copies.map(async (copy, index) => ({
        copy: index + 1,
        title: copy.title,
        archives: await withPlace(
          copy,
          activitySignal(),
          async (place) => (await openCatalog(place, at.system, backup)).labels,
        ).catch(unreadable),
      })),
    ),
});

function unreadable(error: unknown): { readonly unreadable: string } {
  return { unreadable: messageOf(error) };
}
