/** What Muster signs and reads again, with damage at random places: report, bundle, anchor. Each is refused, or is as it was signed. */
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type BundleFiles, packFiles, unpackFiles } from '../../../src/bundle/archive.js';
import { checkSeal, sealFiles } from '../../../src/bundle/seal.js';
import { readPublicKey, type SigningKey, signingKey } from '../../../src/evidence/key.js';
import { verifyReport } from '../../../src/evidence/verify.js';
import { reportContent, writeReportFiles } from '../../../src/evidence/write.js';
import { anchorKey, checkAnchor, makeAnchor } from '../../../src/store/anchor-document.js';
import { BEFORE_THE_FIRST, chain, type JournalBody } from '../../../src/store/chain.js';
import { flipped, harmed, inWords, type Place, randomPlaces, seed } from '../../support/damage.js';
import { finishedReport } from '../../support/reports.js';
import { cases, counted } from '../effort.js';

const { numRuns: PLACES } = cases(20, 1 / 50);
let folder: string;
let key: SigningKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-signed-'));
  key = await signingKey({ MUSTER_HOME: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a report', () => {
  let report: string;
  const files = () =>
    ['report.json', 'report.json.sig', 'report.html', 'report.html.sig'].map((name) => join(report, name));
  const judged = async (place: Place) => {
    const where = inWords(place, report);
    expect({ where, ok: (await verifyReport(report)).ok }).toEqual({ where, ok: false });
  };

  beforeAll(async () => {
    report = join(folder, 'report');
    const signing = { algorithm: 'Ed25519' as const, publicKeySha256: key.fingerprint };
    await writeReportFiles(report, reportContent({ ...finishedReport, signing }, key));
    expect((await verifyReport(report)).ok).toBe(true);
  });

  it(`is refused with one wrong bit at each of ${PLACES} places`, async () => {
    for (const place of await randomPlaces(files(), PLACES)) {
      await flipped([place], () => judged(place));
      counted('damage: report, one bit');
    }
  });

  it(`is refused cut off at each of ${PLACES} places`, async () => {
    for (const place of await randomPlaces(files(), PLACES, 1)) {
      await harmed(place.file, folder, async () => {
        await truncate(place.file, place.bit >> 3);
        await judged(place);
      });
      counted('damage: report, cut off');
    }
  });

  it('is refused with a key beside it in which a bit is wrong', async () => {
    const pem = join(report, 'report.pub.pem');
    const before = await readFile(pem);
    for (const place of await randomPlaces([pem], PLACES, 2)) {
      await flipped([place], async () => {
        // Between the lines of a PEM, and in its last characters, there are bits that say nothing.
        const ok = await verifyReport(report).then(
          (verdict) => verdict.ok && verdict.key.fingerprint !== key.fingerprint,
          () => false,
        );
        expect({ where: inWords(place, report), ok }).toEqual({ where: inWords(place, report), ok: false });
      });
      counted('damage: key of a report, one bit');
    }
    expect(await readFile(pem)).toEqual(before);
  });
});

describe('a bundle', () => {
  let files: BundleFiles;
  let packed: Buffer;

  beforeAll(async () => {
    const texts = fc.sample(fc.string({ minLength: 1, maxLength: 4_000 }), { numRuns: 12, seed });
    const contents = texts.map(
      (text, index) => [`runbooks/system-${index}.yaml`, Buffer.from(text)] as const,
    );
    files = sealFiles(new Map(contents), key);
    packed = await packFiles(files);
    expect(checkSeal(await unpackFiles(packed), key.publicKeyPem).ok).toBe(true);
  });

  /** What whoever opens it gets: undefined, or files that the key vouches for. */
  async function opened(archive: Buffer): Promise<BundleFiles | undefined> {
    try {
      const found = await unpackFiles(archive);
      return checkSeal(found, key.publicKeyPem).ok ? found : undefined;
    } catch {
      return undefined;
    }
  }

  it(`gives nothing but what was signed, with one wrong bit at each of ${PLACES} places`, async () => {
    const bits = fc.sample(fc.noBias(fc.nat(packed.length * 8 - 1)), { numRuns: PLACES, seed });
    let refused = 0;
    for (const bit of bits) {
      const damaged = Buffer.from(packed);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const found = await opened(damaged);
      // A bit of the header that only names a time or a machine changes no file.
      if (found === undefined) refused += 1;
      else expect({ bit, found }).toEqual({ bit, found: files });
      counted('damage: bundle, one bit');
    }
    expect(refused).toBeGreaterThan(PLACES * 0.9);
  });

  it(`is refused cut off at each of ${PLACES} places`, async () => {
    const ends = fc.sample(fc.noBias(fc.nat(packed.length - 1)), { numRuns: PLACES, seed: seed + 1 });
    for (const end of ends) {
      expect({ end, found: await opened(packed.subarray(0, end)) }).toEqual({ end, found: undefined });
      counted('damage: bundle, cut off');
    }
  });
});

describe('an anchor of a journal', () => {
  const bodies = Array.from({ length: 12 }, (_, before) => ({
    ...{ runId: 'run-1', system: 'payymo', scenario: 'corruption', mode: 'real', index: before + 1 },
    ...{ at: '2026-11-21T03:00:00.000Z', kind: 'step-ended', text: `Step ${before}`, facts: [] },
  }));
  const entries = chain(BEFORE_THE_FIRST, bodies as unknown as JournalBody[]);

  it(`is refused, or says what was signed, with one wrong bit at each of ${PLACES} places`, () => {
    const anchor = makeAnchor(entries, key, new Date());
    const text = Buffer.from(JSON.stringify(anchor));
    const trusted = readPublicKey(key.publicKeyPem);
    const judge = (bytes: Buffer) => checkAnchor(anchorKey(anchor), bytes.toString('utf8'), trusted);
    expect(judge(text)).toEqual({ good: anchor });
    const bits = fc.sample(fc.noBias(fc.nat(text.length * 8 - 1)), { numRuns: PLACES, seed: seed + 2 });
    let refused = 0;
    for (const bit of bits) {
      const damaged = Buffer.from(text);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const found = judge(damaged);
      if ('bad' in found) refused += 1;
      // The last character of Base64 has bits that say nothing.
      else expect({ bit, ...found.good, signature: '' }).toEqual({ bit, ...anchor, signature: '' });
      counted('damage: anchor of a journal, one bit');
    }
    expect(refused).toBeGreaterThan(PLACES * 0.9);
  });
});
