/** The keys that payloads are encrypted with: by reference, several at a time for rotation. */
import { createHash, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { InputError, messageOf } from '../errors.js';
import { resolveSecretIn } from '../secrets.js';

export interface PayloadKey {
  /** First 8 bytes of the key's SHA-256, hexadecimal: names the key, tells nothing of it. */
  readonly id: string;
  /** 32 bytes. */
  readonly bytes: Uint8Array;
}

/** The first key encrypts, all decrypt. */
export type KeyRing = readonly PayloadKey[];

type Environment = Readonly<Record<string, string | undefined>>;

const KEY_BYTES = 32;
const KEYS = 'MUSTER_PAYLOAD_KEYS';
const REFERENCES = 'references to keys, separated by commas, such as file:/etc/muster/payload.key';
const HOW = 'Make a key with "muster codec new-key FILE" and name it: MUSTER_PAYLOAD_KEYS=file:FILE.';

/** @param bytes 32 of them */
export function payloadKey(bytes: Uint8Array): PayloadKey {
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 16), bytes };
}

/**
 * The keys that `MUSTER_PAYLOAD_KEYS` names: references (`file:/path`, `env:NAME`), separated by commas, each to 32 bytes
 * in Base64.
 *
 * @returns an empty ring when it names none
 * @throws InputError for a reference that cannot be used; it never holds what was found there
 */
export async function readKeyRing(env: Environment): Promise<KeyRing> {
  const references = (env[KEYS] ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  const keys = await Promise.all(references.map((reference) => readKey(reference, env)));
  const twice = keys.findIndex((key, index) => keys.findIndex(({ id }) => id === key.id) < index);
  if (twice === -1) return keys;
  throw badKey(`the same key twice, the second time as ${references[twice]}`, 'each key once');
}

async function readKey(reference: string, env: Environment): Promise<PayloadKey> {
  // Whoever writes the key itself there shall not find it in a log.
  if (!/^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/.test(reference)) {
    throw badKey('something that is no reference', REFERENCES);
  }
  const text = await resolveSecretIn(env, reference).catch((error) => {
    throw badKey(`${reference}, and ${messageOf(error)}`, 'references to keys that can be read here');
  });
  const bytes = Buffer.from(text, 'base64');
  if (/^[A-Za-z0-9+/]{43}=$/.test(text.trim()) && bytes.length === KEY_BYTES) return payloadKey(bytes);
  throw badKey(`${reference}, which holds no key`, `${KEY_BYTES} random bytes in Base64 (44 characters)`);
}

function badKey(given: string, allowed: string): InputError {
  return new InputError(
    'Payloads cannot be encrypted with the keys that are named.',
    [{ field: KEYS, given, allowed }],
    { next: HOW },
  );
}

/** @throws InputError always: encryption is on unless it is said to be off, and there is no key */
export function demandKeys(): never {
  throw new InputError(
    'What Muster writes to Temporal is encrypted, and no key is named. Nothing has been started.',
    [
      {
        field: KEYS,
        given: 'nothing',
        allowed: `${REFERENCES}; or MUSTER_PAYLOAD_ENCRYPTION=off to do without`,
      },
    ],
    { next: HOW },
  );
}

/**
 * Makes a key and writes it to a new file that only its owner can read.
 *
 * @param file never overwritten: a key that is lost makes runs unreadable
 * @throws InputError when it is there already or cannot be written
 */
export async function writeNewKey(file: string): Promise<PayloadKey> {
  const bytes = randomBytes(KEY_BYTES);
  const handle = await open(file, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const given = error.code === 'EEXIST' ? `${file}, which is there already` : messageOf(error);
    throw new InputError('The key cannot be written.', [
      { field: '<file>', given, allowed: 'a file that does not exist, in a folder that does' },
    ]);
  });
  try {
    await handle.writeFile(`${bytes.toString('base64')}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return payloadKey(bytes);
}
