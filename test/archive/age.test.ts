import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { AgeError, decryptWith, encryptTo, payloadBytes } from '../../src/archive/age.js';

const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_001];
let identity: string;
let recipient: string;

beforeAll(async () => {
  identity = await generateIdentity();
  recipient = await identityToRecipient(identity);
});

async function through(content: Buffer, stage: NodeJS.ReadWriteStream, piece = 10_000): Promise<Buffer> {
  const pieces = Array.from({ length: Math.ceil(content.length / piece) }, (_, index) =>
    content.subarray(index * piece, (index + 1) * piece),
  );
  const collected: Buffer[] = [];
  const out = Readable.from(pieces).pipe(stage);
  for await (const chunk of out as unknown as Readable) collected.push(chunk as Buffer);
  return Buffer.concat(collected);
}

it.each(sizes)(
  'encrypts %i bytes so that the library reads them, and reads what the library encrypts',
  async (size) => {
    const plain = randomBytes(size);
    const file = await through(plain, await encryptTo([recipient]));
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    expect(Buffer.from(await decrypter.decrypt(Uint8Array.from(file))).equals(plain)).toBe(true);

    const encrypter = new Encrypter();
    encrypter.addRecipient(recipient);
    const theirs = Buffer.from(await encrypter.encrypt(Uint8Array.from(plain)));
    expect((await through(theirs, decryptWith([identity]), 777)).equals(plain)).toBe(true);
    const header = file.indexOf('\n', file.indexOf('\n--- ') + 1) + 1;
    expect(file.length).toBe(header + payloadBytes(size));
  },
);

it('can be read by each recipient, and by nobody else', async () => {
  const other = await generateIdentity();
  const stranger = await generateIdentity();
  const file = await through(
    Buffer.from('a row'),
    await encryptTo([recipient, await identityToRecipient(other)]),
  );
  expect((await through(file, decryptWith([stranger, other]))).toString()).toBe('a row');
  expect((await through(file, decryptWith([identity]))).toString()).toBe('a row');
  await expect(through(file, decryptWith([stranger]))).rejects.toMatchObject({ kind: 'wrong-key' });
  await expect(encryptTo([])).rejects.toThrow('nobody could read the file');
});

it('refuses a file of which any bit was flipped or any end is missing', async () => {
  const plain = randomBytes(150_000);
  const file = await through(plain, await encryptTo([recipient]));
  await fc.assert(
    fc.asyncProperty(fc.nat(file.length * 8 - 1), async (bit) => {
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(through(flipped, decryptWith([identity]))).rejects.toBeInstanceOf(AgeError);
    }),
    { numRuns: 20 },
  );
  for (const length of [0, 10, 150, 200, 65_752, 131_288, file.length - 1]) {
    await expect(through(file.subarray(0, length), decryptWith([identity]))).rejects.toBeInstanceOf(AgeError);
  }
});

it('hands on nothing that is not authentic', async () => {
  const plain = Buffer.alloc(200_000, 'x');
  const file = await through(plain, await encryptTo([recipient]));
  const place = file.length - 100_000;
  file[place] = (file[place] ?? 0) ^ 1;
  const stage = decryptWith([identity]);
  const given: Buffer[] = [];
  stage.on('data', (chunk: Buffer) => given.push(chunk));
  const failed = new Promise<Error>((resolve) => stage.once('error', resolve));
  stage.end(file);
  expect((await failed).message).toContain('in its chunk 2');
  expect(Buffer.concat(given).equals(plain.subarray(0, 65_536))).toBe(true);
});
