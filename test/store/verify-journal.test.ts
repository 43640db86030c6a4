import fc from 'fast-check';
import { BEFORE_THE_FIRST, type ChainedEntry, chain, headOf } from '../../src/store/chain.js';
import { journalBody } from '../../src/store/journal.js';
import { verifyJournal } from '../../src/store/verify-journal.js';
import { entries, runRef } from '../support/store.js';

const journal = (length: number): ChainedEntry[] =>
  chain(
    BEFORE_THE_FIRST,
    entries(1, length).map((entry) => journalBody(runRef('run-1'), entry)),
  );

const found = (
  stored: readonly ChainedEntry[],
  expected = undefined as ReturnType<typeof headOf> | undefined,
) => verifyJournal(stored, expected).findings.map(({ kind, index }) => `${kind} ${index}`);

function altered(entry: ChainedEntry | undefined): ChainedEntry {
  if (entry === undefined) throw new Error('there is no such entry');
  return { ...entry, body: { ...entry.body, text: 'nothing happened' } };
}

describe('verifyJournal', () => {
  const whole = journal(8);

  test('finds nothing in a whole journal, nor in an empty one', () => {
    expect(verifyJournal(whole, headOf(whole))).toMatchObject({ intact: true, complete: true, findings: [] });
    expect(verifyJournal([])).toMatchObject({ intact: true, complete: true, head: { entries: 0 } });
  });

  test('names the entry whose content was altered', () => {
    expect(found(whole.map((entry, at) => (at === 4 ? altered(entry) : entry)))).toEqual(['altered 5']);
  });

  test('names the entry that was altered and given a hash that fits', () => {
    const replaced = chain(whole[3]?.hash ?? '', [altered(whole[4]).body])[0] as ChainedEntry;
    expect(found(whole.map((entry, at) => (at === 4 ? replaced : entry)))).toEqual(['replaced 5']);
  });

  test('names the entries that were removed', () => {
    expect(found(whole.filter((_, at) => at !== 2 && at !== 5))).toEqual(['removed 3', 'removed 6']);
    expect(found(whole.slice(1))).toEqual(['removed 1']);
  });

  test('names the one entry that was moved, wherever it went', () => {
    const moving = whole[1] as ChainedEntry;
    const others = whole.filter((entry) => entry !== moving);
    expect(found([...others.slice(0, 5), moving, ...others.slice(5)])).toEqual(['reordered 2']);
    expect(found([...others, moving])).toEqual(['reordered 2']);
    expect(found([moving, ...others])).toEqual([expect.stringMatching(/^reordered [12]$/)]);
  });

  test('notices what was cut off at the end only against a head kept outside', () => {
    expect(found(whole.slice(0, 6))).toEqual([]);
    expect(found(whole.slice(0, 6), headOf(whole))).toEqual(['removed 7']);
  });

  test('notices a chain that was written anew from some entry on against a head kept outside', () => {
    const bodies = whole.map((entry, at) => (at === 6 ? altered(entry).body : entry.body));
    expect(found(chain(BEFORE_THE_FIRST, bodies))).toEqual([]);
    expect(found(chain(BEFORE_THE_FIRST, bodies), headOf(whole))).toEqual(['replaced 8']);
  });

  test('accepts entries that came after the head was signed', () => {
    expect(found(whole, headOf(whole.slice(0, 5)))).toEqual([]);
  });

  test('tells an entry that has not arrived from one that was removed', () => {
    const bodies = whole.map((entry) => entry.body).filter((body) => body.index !== 4);
    const verdict = verifyJournal(chain(BEFORE_THE_FIRST, bodies));
    expect(verdict).toMatchObject({ intact: true, complete: false });
    expect(verdict.findings.map(({ kind, index }) => `${kind} ${index}`)).toEqual(['missing 4']);
  });

  test('accepts entries that arrived late', () => {
    const late = [1, 2, 5, 6, 3, 4].map((index) => entries(index, index)[0]);
    const bodies = late.map((entry) => journalBody(runRef('run-1'), entry as never));
    expect(verifyJournal(chain(BEFORE_THE_FIRST, bodies))).toMatchObject({ intact: true, complete: true });
  });

  test('names an entry that was brought over from another run', () => {
    const foreign = chain(whole.at(-1)?.hash ?? '', [
      journalBody(runRef('run-2'), entries(9, 9)[0] as never),
    ]);
    expect(found([...whole, ...foreign])).toEqual(['foreign 9']);
  });

  test('no single change to a journal goes unnoticed', () => {
    const anyPosition = fc.integer({ min: 0, max: whole.length - 1 });
    const tampered = fc.oneof(
      anyPosition.map((at) => whole.map((entry, other) => (other === at ? altered(entry) : entry))),
      anyPosition.map((at) => whole.filter((_, other) => other !== at)),
      fc
        .tuple(anyPosition, anyPosition)
        .filter(([one, other]) => one !== other)
        .map(([one, other]) => {
          const swapped = [...whole];
          swapped[one] = whole[other] as ChainedEntry;
          swapped[other] = whole[one] as ChainedEntry;
          return swapped;
        }),
    );
    fc.assert(fc.property(tampered, (stored) => !verifyJournal(stored, headOf(whole)).intact));
  });
});
