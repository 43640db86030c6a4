import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ArchiveManifest, readManifest, signManifest } from '../../src/archive/manifest.js';
import { temporaryFolder } from '../drivers/support/folder.js';

const LABEL = '20261121T030000Z-full';
const content: ArchiveManifest = {
  format: 'muster-archive',
  formatVersion: 1,
  system: 'moneyflow',
  label: LABEL,
  content: 'full',
  layout: 'directory',
  database: {
    name: 'accounting',
    bytes: 1,
    systemIdentifier: '7',
    serverVersion: '15.18',
    serverVersionNumber: 150018,
    encoding: 'UTF8',
    collate: 'C',
    ctype: 'C',
    dataChecksums: true,
  },
  snapshot: { at: '2026-11-21T03:00:00.123456Z', lsn: '0/1A2B3C', transactions: '10:10:' },
  startedAt: '2026-11-21T03:00:00.000Z',
  finishedAt: '2026-11-21T03:01:00.000Z',
  compression: { method: 'gzip', level: 6 },
  encryption: { format: 'age-encryption.org/v1', recipients: ['age1'] },
  tools: { pg_dump: '15.18' },
  parts: [{ file: 'parts/toc.dat.age', kind: 'contents', plainBytes: 1, bytes: 217, sha256: 'a'.repeat(64) }],
};

const mine = generateKeyPairSync('ed25519');
const theirs = generateKeyPairSync('ed25519');
const pemOf = (pair: typeof mine) => pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let key: string;

beforeAll(async () => {
  folder = await temporaryFolder('manifest');
  key = join(folder.path, 'key.pem');
  await writeFile(key, mine.privateKey.export({ type: 'pkcs8', format: 'pem' }));
});
afterAll(() => folder.remove());

interface Given {
  readonly text?: Buffer | undefined;
  readonly signature?: Buffer | undefined;
  readonly system?: string;
  readonly label?: string;
  readonly signers?: readonly string[];
}

async function reading(
  given: (signed: { text: Buffer; signature: Buffer }) => Given,
): Promise<ArchiveManifest> {
  const signed = await signManifest(content, `file:${key}`);
  const { text, signature, ...expected } = { ...signed, ...given(signed) };
  return readManifest(
    async (file) => (file === 'manifest.json' ? text : signature),
    `${LABEL} in S3 us-west-2`,
    { system: 'moneyflow', label: LABEL, signers: [pemOf(mine)], ...expected },
  );
}

it('is read as it was written, also while keys are rotated', async () => {
  expect(await reading(() => ({ signers: [pemOf(theirs), pemOf(mine)] }))).toEqual(content);
});

it.each<[string, (signed: { text: Buffer; signature: Buffer }) => Given, string, string]>([
  [
    'is missing',
    () => ({ text: undefined }),
    'ArchiveIncomplete',
    'manifest.json of 20261121T030000Z-full in S3',
  ],
  ['has lost its signature', () => ({ signature: undefined }), 'ArchiveIncomplete', 'manifest.sig of'],
  ['is empty', () => ({ text: Buffer.alloc(0) }), 'ArchiveDamaged', 'is empty'],
  [
    'was changed in one digit',
    ({ text }) => ({ text: Buffer.from(text.toString().replace('0/1A2B3C', '0/1A2B3D')) }),
    'ForeignArchive',
    'none of the keys that may sign',
  ],
  ['was cut off', ({ text }) => ({ text: text.subarray(0, 100) }), 'ForeignArchive', 'none of the keys'],
  [
    'has a signature cut off',
    ({ signature }) => ({ signature: signature.subarray(1) }),
    'ForeignArchive',
    'none of',
  ],
  ['is signed by another', () => ({ signers: [pemOf(theirs)] }), 'ForeignArchive', 'none of the keys'],
  [
    'is of another system',
    () => ({ system: 'payymo' }),
    'ForeignArchive',
    'it is of moneyflow, not of payymo',
  ],
  ['is of another moment', () => ({ label: '20261122T030000Z-full' }), 'ForeignArchive', `it is of ${LABEL}`],
])('is refused when it %s', async (_what, given, code, message) => {
  const refused = reading(given);
  await expect(refused).rejects.toMatchObject({ code, next: expect.any(String) });
  await expect(refused).rejects.toThrow(message);
});
