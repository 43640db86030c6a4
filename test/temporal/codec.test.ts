import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Payload } from '@temporalio/common';
import fc from 'fast-check';
import { InputError, PermanentError } from '../../src/errors.js';
import { ENCRYPTED, EncryptingCodec } from '../../src/temporal/codec.js';
import { dataConverterFor, payloadCodecFor } from '../../src/temporal/codec-converter.js';
import { payloadKey, writeNewKey } from '../../src/temporal/codec-keys.js';
import { runMuster } from '../cli/run-muster.js';

const [older, newer] = [payloadKey(randomBytes(32)), payloadKey(randomBytes(32))];
const text = (payload: Payload | undefined) => Buffer.from(payload?.data ?? []).toString('utf8');

const bytes = fc.uint8Array({ maxLength: 300 });
const anyPayload: fc.Arbitrary<Payload> = fc.record({
  metadata: fc.dictionary(
    // An encrypted payload inside of an encrypted one is possible as well.
    fc.constantFrom('encoding', 'messageType', 'encryption-key-id', 'other'),
    bytes,
  ),
  data: bytes,
});

async function sealed(key = older, content = 'the secret'): Promise<Payload> {
  const clear: Payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(content) };
  const [payload] = await new EncryptingCodec([key]).encode([clear]);
  if (payload === undefined) throw new Error('nothing was encoded');
  return payload;
}

async function failureOf(work: Promise<unknown>): Promise<PermanentError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PermanentError)) throw new Error(`no PermanentError: ${String(error)}`);
  return error;
}

describe('the codec', () => {
  const codec = new EncryptingCodec([older]);

  it('gives back exactly what it was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyPayload, { maxLength: 4 }), async (payloads) => {
        const encoded = await codec.encode(payloads);
        const decoded = await codec.decode(encoded);
        const plain = (list: readonly Payload[]) =>
          list.map(({ metadata, data }) => [
            Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
            Buffer.from(data ?? []).toString('hex'),
          ]);
        expect(plain(decoded)).toEqual(plain(payloads));
      }),
    );
  });

  it('leaves the result of an activity that gives none as it is, as the UI shows it only so', async () => {
    const encoding = Buffer.from('binary/null');
    const nothing: Payload = { metadata: { encoding }, data: new Uint8Array() };
    expect(await codec.encode([nothing])).toEqual([nothing]);
    const [something] = await codec.encode([{ metadata: { encoding }, data: Buffer.from('the secret') }]);
    expect(text({ data: something?.metadata?.encoding ?? null })).toBe('binary/encrypted');
  });

  it('shows nothing of what it encrypts, and the same twice as something else', async () => {
    const [one, two] = [await sealed(), await sealed()];
    expect(Buffer.from(one.data ?? []).includes('secret')).toBe(false);
    expect(text(one)).not.toBe(text(two));
    expect(Buffer.from(one.metadata?.encoding ?? []).toString()).toBe(ENCRYPTED);
    expect(Buffer.from(one.metadata?.['encryption-key-id'] ?? []).toString()).toBe(older.id);
  });

  it('passes what it did not encode, as decisions from the web interface arrive', async () => {
    const plain: Payload = {
      metadata: { encoding: Buffer.from('json/plain') },
      data: Buffer.from('{"on":"run"}'),
    };
    expect(await codec.decode([plain, await sealed()])).toMatchObject([plain, {}]);
    expect(text((await codec.decode([plain]))[0])).toBe('{"on":"run"}');
  });

  it('refuses a payload with any bit flipped', async () => {
    const payload = await sealed();
    const data = Buffer.from(payload.data ?? []);
    await fc.assert(
      fc.asyncProperty(fc.nat(data.length * 8 - 1), async (position) => {
        const flipped = Buffer.from(data);
        flipped[position >> 3] = (flipped[position >> 3] ?? 0) ^ (1 << (position & 7));
        const error = await failureOf(codec.decode([{ ...payload, data: flipped }]));
        expect(error.code).toBe('PayloadDamaged');
      }),
    );
  });

  it('refuses a payload cut anywhere or with something behind it', async () => {
    const payload = await sealed();
    const data = Buffer.from(payload.data ?? []);
    await fc.assert(
      fc.asyncProperty(fc.nat(data.length - 1), fc.uint8Array({ minLength: 1 }), async (length, more) => {
        for (const wrong of [data.subarray(0, length), Buffer.concat([data, more])]) {
          expect((await failureOf(codec.decode([{ ...payload, data: wrong }]))).code).toBe('PayloadDamaged');
        }
      }),
    );
  });

  it('refuses arbitrary bytes that claim to be encrypted, with a typed error', async () => {
    await fc.assert(
      fc.asyncProperty(bytes, bytes, bytes, async (data, id, format) => {
        const whole = (await sealed()).metadata;
        for (const metadata of [
          { ...whole },
          { ...whole, 'encryption-key-id': id },
          { ...whole, 'encryption-cipher': format },
        ]) {
          const error = await failureOf(codec.decode([{ metadata, data }]));
          expect(['PayloadDamaged', 'PayloadKeyMissing', 'PayloadFormatUnknown']).toContain(error.code);
        }
      }),
    );
  });

  it('refuses a payload under the name of another key', async () => {
    const both = new EncryptingCodec([older, newer]);
    const [one, other] = [await sealed(older), await sealed(newer)];
    const swapped: Payload = { metadata: other.metadata ?? null, data: one.data ?? null };
    expect((await failureOf(both.decode([swapped]))).code).toBe('PayloadDamaged');
  });

  it('binds the key id: the same key under another name opens nothing', async () => {
    const renamed = new EncryptingCodec([{ id: newer.id, bytes: older.bytes }]);
    const { data } = await sealed(older);
    const { metadata } = await sealed(newer);
    expect((await failureOf(renamed.decode([{ metadata: metadata ?? null, data: data ?? null }]))).code).toBe(
      'PayloadDamaged',
    );
  });

  it('encrypts with the first key after a rotation, and reads what the old one wrote', async () => {
    const rotated = new EncryptingCodec([newer, older]);
    const [fresh] = await rotated.encode([{ data: Buffer.from('new') }]);
    expect(Buffer.from(fresh?.metadata?.['encryption-key-id'] ?? []).toString()).toBe(newer.id);
    expect((await rotated.decode([await sealed(older, 'old'), fresh as Payload])).map(text)).toEqual([
      'old',
      'new',
    ]);
  });

  it('names the key that is missing and what to do', async () => {
    const error = await failureOf(new EncryptingCodec([newer]).decode([await sealed(older)]));
    expect(error.code).toBe('PayloadKeyMissing');
    expect(error.message).toContain(older.id);
    expect(error.message).toContain(newer.id);
    expect(error.next).toContain('MUSTER_PAYLOAD_KEYS');
  });
});

describe('the keys in the environment', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'muster-keys-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const problem = async (env: Record<string, string>) => {
    const error = await payloadCodecFor(env).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof InputError)) throw new Error(`no InputError: ${String(error)}`);
    return `${error.message} ${JSON.stringify(error.problems)} ${error.next}`;
  };

  it('are demanded unless encryption is said to be off', async () => {
    expect(await problem({})).toMatch(
      /MUSTER_PAYLOAD_KEYS.*MUSTER_PAYLOAD_ENCRYPTION=off.*muster codec new-key/,
    );
    expect(await problem({ MUSTER_PAYLOAD_ENCRYPTION: 'no' })).toMatch(
      /MUSTER_PAYLOAD_ENCRYPTION.*on .*or off/,
    );
    expect(await dataConverterFor({ MUSTER_PAYLOAD_ENCRYPTION: 'off' })).toEqual({});
  });

  it('are made by muster codec new-key, for their owner alone and never over another', async () => {
    const file = join(folder, 'made.key');
    const made = await runMuster(['codec', 'new-key', file, '--json']);
    expect(made.code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const content = await readFile(file, 'utf8');
    const { keyId, reference } = JSON.parse(made.stdout) as { keyId: string; reference: string };
    expect(made.stdout).not.toContain(content.trim());
    const again = await runMuster(['codec', 'new-key', file]);
    expect(again.code).toBe(2);
    expect(await readFile(file, 'utf8')).toBe(content);
    const ring = await runMuster(['codec', 'keys', '--json'], {
      env: { MUSTER_PAYLOAD_KEYS: reference, MUSTER_PAYLOAD_ENCRYPTION: 'on' },
    });
    expect(JSON.parse(ring.stdout)).toEqual({ encryption: 'on', keys: [keyId] });
  });

  it('encrypt with the first reference and decrypt with all; off only decrypts', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    const first = await writeNewKey(one);
    const second = await writeNewKey(two);
    const env = {
      MUSTER_PAYLOAD_KEYS: `file:${one}, env:SECOND`,
      SECOND: (await readFile(two, 'utf8')).trim(),
    };
    const codec = await payloadCodecFor(env);
    const [encoded] = (await codec?.encode([{ data: Buffer.from('x') }])) ?? [];
    expect(Buffer.from(encoded?.metadata?.['encryption-key-id'] ?? []).toString()).toBe(first.id);
    const off = await payloadCodecFor({ ...env, MUSTER_PAYLOAD_ENCRYPTION: 'off' });
    const plain = { data: Buffer.from('y') };
    expect(await off?.encode([plain])).toEqual([plain]);
    expect((await off?.decode([await sealed(second, 'z')]))?.map(text)).toEqual(['z']);
  });

  it('that cannot be used are told without what they hold', async () => {
    const short = join(folder, 'short');
    await writeFile(short, 'c2hvcnQgc2VjcmV0\n');
    expect(await problem({ MUSTER_PAYLOAD_KEYS: `file:${short}` })).toMatch(/holds no key.*32 random bytes/);
    expect(await problem({ MUSTER_PAYLOAD_KEYS: `file:${short}` })).not.toContain('c2hvcnQ');
    expect(await problem({ MUSTER_PAYLOAD_KEYS: 'file:/nonexistent/key' })).toContain('/nonexistent/key');
    const itself = randomBytes(32).toString('base64');
    expect(await problem({ MUSTER_PAYLOAD_KEYS: itself })).not.toContain(itself);
    const twice = join(folder, 'twice');
    await writeNewKey(twice);
    expect(await problem({ MUSTER_PAYLOAD_KEYS: `file:${twice},file:${twice}` })).toContain('twice');
  });
});
