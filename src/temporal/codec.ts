/**
 * Payloads as Temporal stores them: encrypted with AES-256-GCM (NIST SP 800-38D).
 *
 * The outer payload follows the convention of Temporal's own encryption samples, so that its tools know what they see:
 * - `metadata.encoding` = `binary/encrypted`
 * - `metadata.encryption-cipher` = `muster/1 AES-256-GCM`, the version of this format
 * - `metadata.encryption-key-id` = which key of the ring
 * - `data` = 12 random bytes of nonce, the ciphertext, 16 bytes of tag
 *
 * What is encrypted is the whole inner payload (protobuf `temporal.api.common.v1.Payload`), its own metadata included. The
 * three entries above are authenticated with it: none can be changed or taken from another payload.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { PermanentError } from '../errors.js';
import type { KeyRing, PayloadKey } from './codec-keys.js';

export const ENCRYPTED = 'binary/encrypted';
/** Of `undefined`, for instance the result of an activity that gives none. */
const NOTHING = 'binary/null';
const FORMAT = 'muster/1 AES-256-GCM';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

const InnerPayload = proto.temporal.api.common.v1.Payload;

/** Whether new payloads are encrypted; what is encrypted already is decrypted in any case. */
export type Sealing = 'seals' | 'only-opens';

/** Encrypts with the first key of a ring and decrypts with whichever fits. Payloads that it did not encode pass. */
export class EncryptingCodec implements PayloadCodec {
  readonly #keys: KeyRing;
  readonly #sealing: Sealing;

  constructor(keys: KeyRing, sealing: Sealing = 'seals') {
    this.#keys = keys;
    this.#sealing = sealing;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const [key] = this.#keys;
    if (key === undefined || this.#sealing === 'only-opens') return payloads;
    // Nothing is told of nothing; Temporal's UI shows it only in this form.
    return payloads.map((payload) => (isNothing(payload) ? payload : seal(payload, key)));
  }

  /**
   * @throws PermanentError `PayloadKeyMissing` naming the key, `PayloadDamaged` for what is not as it was written
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => this.#open(payload));
  }

  #open(payload: Payload): Payload {
    // A decision from Temporal's UI or command line comes in clear; it is looked at like any other.
    if (entry(payload, 'encoding') !== ENCRYPTED) return payload;
    const format = entry(payload, 'encryption-cipher');
    if (format !== FORMAT) throw otherFormat(format);
    const id = entry(payload, 'encryption-key-id') ?? '';
    const key = this.#keys.find((each) => each.id === id);
    if (key === undefined) throw keyMissing(id, this.#keys);
    return unseal(payload.data ?? new Uint8Array(), key);
  }
}

function isNothing(payload: Payload): boolean {
  return entry(payload, 'encoding') === NOTHING && (payload.data ?? []).length === 0;
}

function seal(payload: Payload, key: PayloadKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(key.id));
  const clear = InnerPayload.encode(payload).finish();
  const data = Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  return {
    metadata: {
      encoding: Buffer.from(ENCRYPTED),
      'encryption-cipher': Buffer.from(FORMAT),
      'encryption-key-id': Buffer.from(key.id),
    },
    data,
  };
}

function unseal(data: Uint8Array, key: PayloadKey): Payload {
  if (data.length < NONCE_BYTES + TAG_BYTES) throw damaged(key.id, `it has ${data.length} bytes`);
  const decipher = createDecipheriv(CIPHER, key.bytes, data.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(boundTo(key.id));
  decipher.setAuthTag(data.subarray(data.length - TAG_BYTES));
  try {
    const clear = Buffer.concat([
      decipher.update(data.subarray(NONCE_BYTES, data.length - TAG_BYTES)),
      decipher.final(),
    ]);
    const { metadata, data: inner } = InnerPayload.decode(clear);
    return { metadata, data: inner };
  } catch (cause) {
    throw damaged(key.id, 'its authentication tag does not fit', cause);
  }
}

/** Length before value: no two different sets of entries make the same bytes. */
function boundTo(keyId: string): Buffer {
  const parts = ['encoding', ENCRYPTED, 'encryption-cipher', FORMAT, 'encryption-key-id', keyId];
  return Buffer.from(parts.map((part) => `${part.length}:${part}`).join(','));
}

function entry(payload: Payload, name: string): string | undefined {
  const value = payload.metadata?.[name];
  return value == null ? undefined : Buffer.from(value).toString('utf8');
}

/** A key id comes from the payload: only what looks like one is repeated. */
function shownId(id: string): string {
  return /^[0-9a-f]{16}$/.test(id) ? id : 'of no known form';
}

function keyMissing(id: string, keys: KeyRing): PermanentError {
  const known = keys.length === 0 ? 'none' : keys.map((key) => key.id).join(', ');
  return new PermanentError(
    'PayloadKeyMissing',
    `A payload was encrypted with the key ${shownId(id)}, which is not in the ring (there: ${known}).`,
    {
      next: 'Add the reference of that key to MUSTER_PAYLOAD_KEYS, behind the one that encrypts, and start again.',
      details: { keyId: shownId(id) },
    },
  );
}

function damaged(id: string, why: string, cause?: unknown): PermanentError {
  return new PermanentError(
    'PayloadDamaged',
    `A payload encrypted with the key ${id} is not as it was written.`,
    {
      why,
      next: 'Look who changed data in the Temporal server or on the way to it; what it held is in the journal.',
      cause,
      details: { keyId: id },
    },
  );
}

function otherFormat(format: string | undefined): PermanentError {
  const known = format !== undefined && /^[\w/ .-]{1,40}$/.test(format);
  const shown = known ? format : 'nothing that is known';
  return new PermanentError(
    'PayloadFormatUnknown',
    `A payload is encrypted in another form than Muster's: its encryption-cipher says ${shown}.`,
    { next: `Use the codec that wrote it, or a version of Muster that knows it; this one knows ${FORMAT}.` },
  );
}
