/**
 * Signatures over a statement. Ed25519 (RFC 8032) is checked in process by node:crypto. Signatures of OpenSSH (SSHSIG, see
 * PROTOCOL.sshsig of OpenSSH) are checked by `ssh-keygen -Y verify`: it is the reference, knows every kind of key that OpenSSH
 * signs with, hardware keys (`sk-*`) among them, and takes 5 ms. No kept library on npm does: sshpk knows no SSHSIG, and the
 * small ones leave out hardware keys.
 */
import { createHash, verify } from 'node:crypto';
import type { ProofMethod } from '../../src/model/decision.js';
import { isBase64, type PublicKey } from '../../src/people/keys.js';
import { Refused, SIGN_AGAIN } from './refused.js';
import { armoured, signerOf, verifiedBySshKeygen } from './sshsig.js';

export interface JudgedSignature {
  readonly method: Exclude<ProofMethod, 'totp'>;
  /** SHA-256 of the signature itself, however it was written down. */
  readonly sha256: string;
}

interface Signed {
  readonly person: string;
  readonly keys: readonly PublicKey[];
  readonly statement: string;
  readonly signature: string;
  readonly signal: AbortSignal;
}

/**
 * @throws Refused when it is by none of the keys, over another statement, or none at all
 * @throws PermanentError `ToolMissing`, TransientError `ProofCheckFailed` when a signature of OpenSSH cannot be checked here
 */
export async function judgeSignature(signed: Signed): Promise<JudgedSignature> {
  const text = signed.signature.trim();
  return text.startsWith('-----BEGIN') ? judgeSsh(signed, text) : judgeEd25519(signed, text);
}

function judgeEd25519({ person, keys, statement }: Signed, text: string): JudgedSignature {
  const compact = text.replace(/\s/g, '');
  const bytes = Buffer.from(compact, 'base64');
  if (!isBase64(compact) || bytes.length !== 64) {
    throw new Refused(
      `The signature cannot be read. Allowed: the 64 bytes of an Ed25519 signature in Base64, or the whole text that ssh-keygen -Y sign wrote, from -----BEGIN SSH SIGNATURE----- on. ${SIGN_AGAIN}.`,
    );
  }
  const own = keys.flatMap((each) => (each.kind === 'ed25519' ? [each.key] : []));
  if (own.length === 0) {
    throw new Refused(
      `This is an Ed25519 signature, and the roster has no Ed25519 key in PEM for ${person}: sign with ssh-keygen -Y sign. ${SIGN_AGAIN}.`,
    );
  }
  const fits = own.some((key) => textsOf(statement).some((each) => verify(null, each, key, bytes)));
  if (!fits) {
    throw new Refused(
      `The signature is by none of ${person}'s keys over this decision: it was made with another key, or over another text (another run, plan, opening of the gate, choice, reason or time). ${SIGN_AGAIN}.`,
    );
  }
  return { method: 'ed25519', sha256: sha256(bytes) };
}

async function judgeSsh({ person, keys, statement, signal }: Signed, text: string): Promise<JudgedSignature> {
  const signature = armoured(text);
  if (signature === undefined) {
    throw new Refused(
      `The SSH signature cannot be read: it must be the whole text from -----BEGIN SSH SIGNATURE----- to -----END SSH SIGNATURE-----. ${SIGN_AGAIN}.`,
    );
  }
  const own = keys.flatMap((each) => (each.kind === 'ssh' ? [each.key] : []));
  if (own.length === 0) {
    throw new Refused(
      `This is an SSH signature, and the roster has no OpenSSH key for ${person}: sign with the Ed25519 key. ${SIGN_AGAIN}.`,
    );
  }
  for (const content of textsOf(statement)) {
    if (await verifiedBySshKeygen(signature.text, content, own, signal)) {
      return { method: 'ssh', sha256: sha256(signature.bytes) };
    }
  }
  const foreign = await signerOf(signature.text, textsOf(statement)[0], signal);
  throw new Refused(
    foreign === undefined
      ? `The SSH signature does not fit this decision: it was made over another text (another run, plan, opening of the gate, choice, reason or time), or without "-n muster". ${SIGN_AGAIN}.`
      : `The SSH signature fits this decision, but it was made with the key ${foreign}, which is none of ${person}'s in the roster. Sign with one of those, or have whose key it is decide.`,
  );
}

/** Editors end a file with a line break; it cannot change what the statement says. */
function textsOf(statement: string): [Buffer, Buffer] {
  return [Buffer.from(statement), Buffer.from(`${statement}\n`)];
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
