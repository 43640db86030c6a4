/**
 * Files in the age format, version 1 (C2SP, age.md): a header that gives each recipient the file key, then the payload in
 * chunks of 64 KiB, each authenticated before a byte of it is handed on. The header, where the keys are, is the library's;
 * the payload is ciphered by OpenSSL, which is thirty times as fast as JavaScript.
 */
import {
  type CipherChaCha20Poly1305,
  createCipheriv,
  createDecipheriv,
  hkdfSync,
  randomBytes,
} from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { Decrypter, Encrypter } from 'age-encryption';

const CHUNK = 64 * 1024;
const TAG = 16;
const NONCE = 16;
/** Far above what a header with a hundred recipients takes. */
const LONGEST_HEADER = 64 * 1024;
const CIPHER = 'chacha20-poly1305';
const OPTIONS = { authTagLength: TAG } as const;

/** What is wrong with a file in the age format, in words that follow "the file". */
export class AgeError extends Error {
  override readonly name = 'AgeError';

  constructor(
    readonly kind: 'damaged' | 'wrong-key',
    what: string,
    cause?: unknown,
  ) {
    super(what, cause === undefined ? undefined : { cause });
  }
}

/**
 * A stream that encrypts what is written to it for every recipient.
 *
 * @param recipients public keys, `age1...`; each of their holders can read the file
 * @throws TypeError for what is no recipient
 */
export async function encryptTo(recipients: readonly string[]): Promise<Transform> {
  const { header, fileKey } = await newHeader(recipients);
  const nonce = randomBytes(NONCE);
  return new Encrypting(Buffer.concat([header, nonce]), payloadKey(fileKey, nonce));
}

/**
 * A stream that decrypts what is written to it. It hands on only what is authentic, and ends without an error only when the
 * file is whole.
 *
 * @param identities private keys, `AGE-SECRET-KEY-1...`; the one that fits is used
 * @throws (the stream) AgeError
 */
export function decryptWith(identities: readonly string[]): Transform {
  return new Decrypting(identities);
}

/** Size of a file that holds `plainBytes`, without its header: what `encryptTo` adds to that depends on the recipients. */
export function payloadBytes(plainBytes: number): number {
  return NONCE + plainBytes + TAG * Math.max(1, Math.ceil(plainBytes / CHUNK));
}

/** The library makes the header; a recipient that adds nothing to it sees the key. */
async function newHeader(
  recipients: readonly string[],
): Promise<{ readonly header: Buffer; readonly fileKey: Uint8Array }> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  let fileKey: Uint8Array | undefined;
  encrypter.addRecipient({
    wrapFileKey: (key) => {
      fileKey = Uint8Array.from(key);
      return [];
    },
  });
  const empty = await encrypter.encrypt(new Uint8Array(0));
  if (recipients.length === 0 || fileKey === undefined) throw new TypeError('nobody could read the file');
  return { header: Buffer.from(empty.subarray(0, empty.length - NONCE - TAG)), fileKey };
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
}

/** Eleven bytes that count, and one that marks the last chunk. */
class ChunkNonce {
  readonly #bytes = Buffer.alloc(12);

  of(last: 'last' | 'more'): Buffer {
    this.#bytes[11] = last === 'last' ? 1 : 0;
    return this.#bytes;
  }

  next(): void {
    for (let index = 10; index >= 0; index--) {
      const value = ((this.#bytes[index] ?? 0) + 1) & 0xff;
      this.#bytes[index] = value;
      if (value !== 0) return;
    }
  }
}

/**
 * Cuts a stream into pieces of one size; the last one is held back, because it is ciphered in another way. A piece is good until
 * the next one: with a buffer of its own for each, collecting them takes longer than deciphering.
 */
class Pieces {
  #parts: Buffer[] = [];
  #length = 0;
  readonly #whole: Buffer;

  constructor(private readonly size: number) {
    this.#whole = Buffer.allocUnsafe(size);
  }

  *add(data: Buffer): Generator<Buffer> {
    let rest = data;
    while (this.#length + rest.length > this.size) {
      const missing = this.size - this.#length;
      this.#parts.push(rest.subarray(0, missing));
      rest = rest.subarray(missing);
      yield this.take();
    }
    if (rest.length > 0) this.#parts.push(rest);
    this.#length += rest.length;
  }

  take(): Buffer {
    const [only] = this.#parts;
    const piece = this.#parts.length === 1 && only !== undefined ? only : this.#joined();
    this.#parts = [];
    this.#length = 0;
    return piece;
  }

  #joined(): Buffer {
    let length = 0;
    for (const part of this.#parts) length += part.copy(this.#whole, length);
    return this.#whole.subarray(0, length);
  }
}

class Encrypting extends Transform {
  readonly #nonce = new ChunkNonce();
  readonly #pieces = new Pieces(CHUNK);
  #prefix: Buffer | undefined;

  constructor(
    prefix: Buffer,
    private readonly key: Buffer,
  ) {
    super();
    this.#prefix = prefix;
  }

  override _transform(data: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#begin();
    for (const piece of this.#pieces.add(data)) this.#seal(piece, 'more');
    done();
  }

  override _flush(done: TransformCallback): void {
    this.#begin();
    this.#seal(this.#pieces.take(), 'last');
    done();
  }

  #begin(): void {
    if (this.#prefix !== undefined) this.push(this.#prefix);
    this.#prefix = undefined;
  }

  #seal(piece: Buffer, last: 'last' | 'more'): void {
    const cipher: CipherChaCha20Poly1305 = createCipheriv(CIPHER, this.key, this.#nonce.of(last), OPTIONS);
    const sealed = [cipher.update(piece), cipher.final(), cipher.getAuthTag()];
    this.push(Buffer.concat(sealed));
    this.#nonce.next();
  }
}

class Decrypting extends Transform {
  readonly #nonce = new ChunkNonce();
  readonly #pieces = new Pieces(CHUNK + TAG);
  #head = Buffer.alloc(0);
  #key: Buffer | undefined;
  #chunk = 0;

  constructor(private readonly identities: readonly string[]) {
    super();
  }

  override _transform(data: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#key !== undefined) {
      done(this.#attempt(() => this.#open(data)));
      return;
    }
    this.#head = Buffer.concat([this.#head, data]);
    const end = endOfHeader(this.#head);
    if (end === undefined) {
      const tooLong = this.#head.length > LONGEST_HEADER;
      done(tooLong ? new AgeError('damaged', 'does not begin with the header of an age file') : null);
      return;
    }
    if (this.#head.length < end + NONCE) {
      done();
      return;
    }
    const rest = this.#head.subarray(end + NONCE);
    this.#unlock(this.#head.subarray(0, end), this.#head.subarray(end, end + NONCE)).then(
      () => done(this.#attempt(() => this.#open(rest))),
      done,
    );
  }

  override _flush(done: TransformCallback): void {
    if (this.#key === undefined) {
      done(new AgeError('damaged', 'ends within its header'));
      return;
    }
    done(
      this.#attempt(() => {
        const last = this.#pieces.take();
        const plain = this.#unseal(last, 'last');
        if (plain.length === 0 && this.#chunk > 1) throw new AgeError('damaged', 'ends with an empty chunk');
      }),
    );
  }

  async #unlock(header: Buffer, nonce: Buffer): Promise<void> {
    const decrypter = new Decrypter();
    for (const identity of this.identities) decrypter.addIdentity(identity);
    try {
      this.#key = payloadKey(await decrypter.decryptHeader(Uint8Array.from(header)), nonce);
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (said.includes('no identity matched')) {
        throw new AgeError(
          'wrong-key',
          'is not for any of the keys at hand, or its header was changed',
          error,
        );
      }
      throw new AgeError('damaged', 'has a damaged header', error);
    }
  }

  #open(data: Buffer): void {
    for (const piece of this.#pieces.add(data)) this.#unseal(piece, 'more');
  }

  #unseal(piece: Buffer, last: 'last' | 'more'): Buffer {
    const { key } = { key: this.#key ?? Buffer.alloc(0) };
    this.#chunk += 1;
    const decipher = createDecipheriv(CIPHER, key, this.#nonce.of(last), OPTIONS);
    try {
      if (piece.length < TAG) throw new TypeError('shorter than its tag');
      decipher.setAuthTag(piece.subarray(piece.length - TAG));
      const plain = decipher.update(piece.subarray(0, piece.length - TAG));
      decipher.final();
      this.#nonce.next();
      if (plain.length > 0) this.push(plain);
      return plain;
    } catch (error) {
      const where = last === 'last' ? 'at its end' : `in its chunk ${this.#chunk}`;
      throw new AgeError('damaged', `is not authentic ${where}: it was changed or cut off`, error);
    }
  }

  #attempt(work: () => void): Error | null {
    try {
      work();
      return null;
    } catch (error) {
      return error as Error;
    }
  }
}

/** The header ends with the line of its MAC. */
function endOfHeader(head: Buffer): number | undefined {
  const mac = head.indexOf('\n--- ');
  const end = mac < 0 ? -1 : head.indexOf('\n', mac + 1);
  return end < 0 ? undefined : end + 1;
}
