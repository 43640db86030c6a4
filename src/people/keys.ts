/** Public keys as a roster holds them, and private ones as people keep them. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';

/** A key of OpenSSH: what stands in a `.pub` file, without its comment. */
export interface SshKey {
  readonly type: string;
  /** Base64. */
  readonly blob: string;
}

export type PublicKey =
  | { readonly kind: 'ed25519'; readonly key: KeyObject; readonly fingerprint: string }
  | { readonly kind: 'ssh'; readonly key: SshKey; readonly fingerprint: string };

/**
 * Reads a key of the roster: PEM of an Ed25519 key (RFC 8410), or a line of OpenSSH (RFC 4253, 6.6).
 * @returns undefined for what is neither
 */
export function readPublicKey(text: string): PublicKey | undefined {
  if (text.startsWith('-----BEGIN')) {
    const key = attempt(() => createPublicKey(text));
    if (key?.asymmetricKeyType !== 'ed25519') return undefined;
    return { kind: 'ed25519', key, fingerprint: fingerprintOf(key.export({ type: 'spki', format: 'der' })) };
  }
  const [type, blob] = text.trim().split(/\s+/);
  if (type === undefined || blob === undefined || !isBase64(blob)) return undefined;
  const bytes = Buffer.from(blob, 'base64');
  // The type stands in the blob again; `ssh-keygen` skips a line where the two differ.
  const length = bytes.length < 4 ? 0 : bytes.readUInt32BE(0);
  if (length === 0 || bytes.subarray(4, 4 + length).toString('latin1') !== type) return undefined;
  return { kind: 'ssh', key: { type, blob }, fingerprint: fingerprintOf(bytes) };
}

/** The person's keys that can be read, in their order. */
export function publicKeysOf(texts: readonly string[]): PublicKey[] {
  return texts.flatMap((text) => readPublicKey(text) ?? []);
}

/** A new Ed25519 pair: PKCS #8 and SubjectPublicKeyInfo, both PEM. */
export function newKeyPair(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** The public half, PEM, of an Ed25519 private key. */
export function publicHalf(privateKeyPem: string): string {
  return createPublicKey(createPrivateKey(privateKeyPem)).export({ type: 'spki', format: 'pem' }).toString();
}

export function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

/** As OpenSSH prints it. */
function fingerprintOf(bytes: Buffer): string {
  return `SHA256:${createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '')}`;
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
