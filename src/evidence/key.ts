/** The key that reports are signed with (Ed25519, RFC 8032), by reference; and keys that signatures are checked with. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, PermanentError } from '../errors.js';
import { musterHome } from '../home.js';
import { resolveSecret } from '../secrets.js';

export interface SigningKey {
  readonly privateKey: KeyObject;
  readonly publicKeyPem: string;
  /** SHA-256 of the public key's DER form, hexadecimal: what is compared by telephone. */
  readonly fingerprint: string;
}

/**
 * The key that MUSTER_SIGNING_KEY names (`file:/path` or `env:NAME`, PKCS #8 in PEM). Where nothing is named, this
 * machine's own key in `${MUSTER_HOME}/keys`, made at first use: a report is never held up for want of a key, but only
 * a key whose public half is kept elsewhere proves who signed.
 *
 * @throws PermanentError `SecretMissing` or `SigningKeyUnusable`
 */
export async function signingKey(env: NodeJS.ProcessEnv = process.env): Promise<SigningKey> {
  const reference = env.MUSTER_SIGNING_KEY || `file:${await ownKey(musterHome(env))}`;
  const pem = await resolveSecret(reference);
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch (error) {
    throw unusable(reference, `it is no private key in PEM (${messageOf(error)})`);
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw unusable(reference, `it is of the kind ${privateKey.asymmetricKeyType ?? 'unknown'}`);
  }
  const publicKey = createPublicKey(privateKey);
  return {
    privateKey,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    fingerprint: fingerprintOf(publicKey),
  };
}

/** SHA-256 of a public key's DER form (SubjectPublicKeyInfo), hexadecimal. */
export function fingerprintOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** @returns undefined for anything that is not an Ed25519 public key in PEM */
export function readPublicKey(pem: string | Buffer): KeyObject | undefined {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : undefined;
  } catch {
    return undefined;
  }
}

async function ownKey(home: string): Promise<string> {
  const path = join(home, 'keys', 'report-signing.pem');
  if (existsSync(path)) return path;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  const fresh = `${path}.${randomUUID()}`;
  const file = await open(fresh, 'w', 0o600);
  try {
    await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await file.sync();
  } finally {
    await file.close();
  }
  // A link never replaces: of two workers that make a key at once, one has made the key of both.
  await link(fresh, path).catch((error) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  await rm(fresh);
  return path;
}

function unusable(reference: string, why: string): PermanentError {
  return new PermanentError('SigningKeyUnusable', `The report cannot be signed with ${reference}: ${why}.`, {
    next: 'Make one with "openssl genpkey -algorithm ed25519 -out FILE", name it in MUSTER_SIGNING_KEY, then retry.',
  });
}
