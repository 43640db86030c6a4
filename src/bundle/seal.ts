/**
 * How a bundle is signed, so that `sha256sum` and `openssl` can check it as well as Muster: `SHA256SUMS` names every other
 * file with its SHA-256, `SHA256SUMS.sig` is its Ed25519 signature (RFC 8032), `muster.pub.pem` the key.
 */
import { createHash, sign, verify } from 'node:crypto';
import { InputError } from '../errors.js';
import { fingerprintOf, readPublicKey, type SigningKey } from '../evidence/key.js';
import type { BundleFiles } from './archive.js';

export const SUMS = 'SHA256SUMS';
export const SIGNATURE = 'SHA256SUMS.sig';
export const PUBLIC_KEY = 'muster.pub.pem';

export interface SealVerdict {
  readonly ok: boolean;
  /** One sentence each; empty when all is well. */
  readonly problems: readonly string[];
  /** What the verdict rests on and does not prove. */
  readonly cautions: readonly string[];
  /** SHA-256 of the key's DER form, hexadecimal. */
  readonly fingerprint: string;
}

/** The files with their sums, the signature and the key. */
export function sealFiles(files: BundleFiles, key: SigningKey): BundleFiles {
  const all = new Map([...files, [PUBLIC_KEY, Buffer.from(key.publicKeyPem)] as const]);
  const sums = Buffer.from([...all].map(([name, contents]) => `${sha256(contents)}  ${name}\n`).join(''));
  return new Map([...all, [SUMS, sums], [SIGNATURE, sign(null, sums, key.privateKey)]]);
}

/**
 * @param givenPem the public key as it was had from elsewhere; without it that of the bundle is used, which proves that nothing
 *   was changed, not who signed
 * @throws InputError when the given key is none, or the bundle has none and none is given
 */
export function checkSeal(files: BundleFiles, givenPem?: string): SealVerdict {
  const beside = files.get(PUBLIC_KEY);
  const key = readPublicKey(givenPem ?? beside ?? '');
  if (key === undefined) {
    throw new InputError('There is no key to check the bundle with.', [
      {
        field: '--key',
        given: givenPem === undefined ? `nothing, and ${PUBLIC_KEY} in the bundle is no key` : 'no key',
        allowed: 'a file with the Ed25519 public key in PEM',
      },
    ]);
  }
  const fingerprint = fingerprintOf(key);
  const sums = files.get(SUMS);
  const signature = files.get(SIGNATURE);
  const problems: string[] = [];
  if (sums === undefined || signature === undefined) {
    problems.push(`It is not signed: ${sums === undefined ? SUMS : SIGNATURE} is missing.`);
  } else {
    if (!verify(null, sums, key, signature)) {
      problems.push(
        `${SUMS} is not what was signed with this key: it was altered, or another key signed it.`,
      );
    }
    problems.push(...differences(files, sums.toString('utf8')));
  }
  const cautions =
    givenPem === undefined
      ? [
          `Checked with the key inside of the bundle: nothing was changed since it was signed; who signed it is not proven. Compare the fingerprint ${fingerprint} with one that you have from elsewhere, or give that key with --key.`,
        ]
      : [];
  return { ok: problems.length === 0, problems, cautions, fingerprint };
}

function differences(files: BundleFiles, sums: string): string[] {
  const listed = new Map(
    sums
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => [line.slice(66), line.slice(0, 64)] as const),
  );
  const altered = [...listed].flatMap(([name, sum]) => {
    const contents = files.get(name);
    if (contents === undefined) return [`${name} is missing.`];
    return sha256(contents) === sum ? [] : [`${name} was altered.`];
  });
  const added = [...files.keys()].filter((name) => !listed.has(name) && name !== SUMS && name !== SIGNATURE);
  return [...altered, ...added.map((name) => `${name} was added.`)];
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
