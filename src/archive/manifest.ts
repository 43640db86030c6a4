/**
 * What an archive says of itself: `manifest.json`, in the clear so that the catalog can be read without a private key, and
 * signed (Ed25519, RFC 8032, detached in `manifest.sig`), so that nothing of it can be changed or put into another's place.
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { messageOf, PermanentError } from '../errors.js';
import { canonicalJson } from '../model/canonical-json.js';
import { resolveSecret } from '../secrets.js';
import { damaged, foreign, missing } from './errors.js';

export const MANIFEST = 'manifest.json';
export const SIGNATURE = 'manifest.sig';
/** A hundred thousand parts. */
export const LARGEST_MANIFEST_BYTES = 32 * 1024 * 1024;
const LARGEST_SIGNATURE_BYTES = 1024;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.number().int().min(0);
const moment = z.iso.datetime();

const part = z.strictObject({
  /** Below the archive's folder. */
  file: z.string().regex(/^parts\/[A-Za-z0-9._-]{1,200}$/),
  kind: z.enum(['contents', 'table', 'large-objects', 'dump', 'roles', 'configuration', 'facts']),
  /** What is in it: a table's `schema.table`, a configuration file's name. */
  of: z.string().optional(),
  /** Before encryption. */
  plainBytes: bytes,
  /** As it is stored. */
  bytes,
  sha256,
});

const manifest = z.strictObject({
  format: z.literal('muster-archive'),
  formatVersion: z.literal(1),
  system: z.string().min(1),
  label: z.string().regex(/^\d{8}T\d{6}Z-(full|schema|data)$/),
  content: z.enum(['full', 'schema', 'data']),
  layout: z.enum(['directory', 'custom']),
  database: z.strictObject({
    name: z.string().min(1),
    bytes,
    systemIdentifier: z.string(),
    timeline: z.number().int().min(1).optional(),
    serverVersion: z.string(),
    /** `server_version_num`. */
    serverVersionNumber: z.number().int(),
    encoding: z.string(),
    collate: z.string(),
    ctype: z.string(),
    dataChecksums: z.boolean(),
  }),
  /** The consistent state that is in it. */
  snapshot: z.strictObject({
    at: moment,
    /** WAL position when the snapshot was taken. */
    lsn: z.string().regex(/^[0-9A-F]+\/[0-9A-F]+$/),
    transactions: z.string(),
  }),
  startedAt: moment,
  finishedAt: moment,
  compression: z.strictObject({ method: z.literal('gzip'), level: z.number().int().min(0).max(9) }),
  encryption: z.strictObject({
    format: z.literal('age-encryption.org/v1'),
    recipients: z.array(z.string()).min(1),
  }),
  tools: z.record(z.string(), z.string()),
  parts: z.array(part).min(1).max(100_000),
});

export type ArchiveManifest = z.output<typeof manifest>;
export type ArchivePart = z.output<typeof part>;

/** Figures of the dumped data, read in the snapshot of the dump; encrypted, because sums tell what they are sums of. */
export const archiveFacts = z.strictObject({
  /** Rows by `schema.table`, partitions each by itself. */
  rows: z.record(z.string(), z.number().int().min(0)),
  /** Last value by `schema.sequence`; null: never used. A sequence knows no snapshot: it may be further on in the dump. */
  sequences: z.record(z.string(), z.string().nullable()),
  sums: z.record(z.string(), z.string().nullable()),
  largeObjects: z.number().int().min(0),
});

export type ArchiveFacts = z.output<typeof archiveFacts>;

export interface SignedManifest {
  readonly text: Buffer;
  readonly signature: Buffer;
}

/** @param signingKey reference to an Ed25519 private key, PEM @throws PermanentError `SecretMissing`, `SigningKeyUnusable` */
export async function signManifest(content: ArchiveManifest, signingKey: string): Promise<SignedManifest> {
  const text = Buffer.from(`${canonicalJson(manifest.parse(content))}\n`);
  const pem = await resolveSecret(signingKey);
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType !== 'ed25519')
      throw new TypeError(`it is of the kind ${key.asymmetricKeyType}`);
    return { text, signature: sign(null, text, key) };
  } catch (error) {
    throw new PermanentError('SigningKeyUnusable', `${signingKey} signs no archive: ${messageOf(error)}.`, {
      next: 'Make one with "openssl genpkey -algorithm ed25519 -out FILE" and name it in the runbook (backups.<name>.signingKey).',
      cause: error,
    });
  }
}

export interface ExpectedArchive {
  readonly system: string;
  readonly label: string;
  /** PEM; one of them has signed. */
  readonly signers: readonly string[];
}

/**
 * Reads a manifest and believes nothing of it before its signature holds.
 *
 * @param read gives a file of the archive's folder, undefined when it is not there
 * @param where in words, for errors: `20261121T030000Z-full in S3 us-west-2`
 * @throws PermanentError `ArchiveIncomplete`, `ArchiveDamaged`, `ForeignArchive`
 */
export async function readSigned(
  read: (file: string, mostBytes: number) => Promise<Buffer | undefined>,
  where: string,
  expected: ExpectedArchive,
): Promise<{ readonly manifest: ArchiveManifest; readonly signer: string }> {
  const file = `${MANIFEST} of ${where}`;
  const text = await read(MANIFEST, LARGEST_MANIFEST_BYTES);
  if (text === undefined) throw missing(file);
  const signature = await read(SIGNATURE, LARGEST_SIGNATURE_BYTES);
  if (signature === undefined) throw missing(`${SIGNATURE} of ${where}`);
  if (text.length === 0) throw damaged(file, 'is empty');
  const signer = expected.signers.find((pem) => isSignedBy(pem, text, signature));
  if (signer === undefined) {
    throw foreign(
      file,
      'none of the keys that may sign (backups.<name>.signers) has signed it',
      'It was changed, its signature is of another archive, or whoever made it does not belong to this system.',
    );
  }
  const content = parseManifest(text, file);
  if (content.system !== expected.system) {
    throw foreign(
      file,
      `it is of ${content.system}, not of ${expected.system}`,
      'It was put into this place by mistake or on purpose.',
    );
  }
  if (content.label !== expected.label) {
    throw foreign(
      file,
      `it is of ${content.label}`,
      'The archive was renamed: it is not from when its name says.',
    );
  }
  return { manifest: content, signer: fingerprintOf(signer) };
}

/** The same where nobody asks who has signed. */
export async function readManifest(...from: Parameters<typeof readSigned>): Promise<ArchiveManifest> {
  return (await readSigned(...from)).manifest;
}

/** `openssl pkey -pubin -in signer.pem -outform DER | sha256sum | head -c 16` */
export function fingerprintOf(pem: string): string {
  const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(der).digest('hex').slice(0, 16);
}

function parseManifest(text: Buffer, file: string): ArchiveManifest {
  try {
    return manifest.parse(JSON.parse(text.toString('utf8')));
  } catch (error) {
    throw new PermanentError(
      'ArchiveUnknown',
      `${file} is signed, but this version of Muster cannot read it.`,
      {
        why:
          error instanceof z.ZodError
            ? z.prettifyError(error).split('\n').slice(0, 2).join(' ')
            : messageOf(error),
        next: 'Restore it with the version that made it (its manifest names it under tools), or by hand (docs/archive.md).',
        cause: error,
      },
    );
  }
}

function isSignedBy(pem: string, text: Buffer, signature: Buffer): boolean {
  try {
    return verify(null, text, createPublicKey(pem), signature);
  } catch {
    return false;
  }
}
