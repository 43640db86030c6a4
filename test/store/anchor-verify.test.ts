import { verifyAnchored, verifyBoth } from '../../src/store/anchor-verify.js';
import { BEFORE_THE_FIRST, type ChainedEntry, chain } from '../../src/store/chain.js';
import { journalBody } from '../../src/store/journal-body.js';
import { placeOf, standingOf } from '../../src/store/standing.js';
import { verifyJournal } from '../../src/store/verify-journal.js';
import { entries, runRef } from '../support/store.js';

const bodies = (from: number, to: number, adoption?: number) =>
  entries(from, to).map((entry) =>
    journalBody({ ...runRef('run'), ...(adoption === undefined ? {} : { adoption }) }, entry),
  );
const whole = chain(BEFORE_THE_FIRST, bodies(1, 5));
const nowhere = { forStore: new Set<string>(), forAnchors: new Set<string>() };

function found(stored: readonly ChainedEntry[], anchored: readonly ChainedEntry[], waiting = nowhere) {
  const verdict = verifyBoth(verifyJournal(stored), stored, anchored, waiting);
  const { intact, complete, findings } = verdict;
  return { intact, complete, findings: findings.map(({ kind, index }) => `${kind} ${index}`), verdict };
}

describe('a journal held against its anchors', () => {
  test('is whole when both hold the same, in whatever order it reached the store', () => {
    expect(found(whole, whole)).toMatchObject({ intact: true, complete: true, findings: [] });
    const arrived = [1, 3, 2, 4, 5].flatMap((index) => bodies(index, index));
    expect(found(chain(BEFORE_THE_FIRST, arrived), whole)).toMatchObject({ intact: true, complete: true });
  });

  test('shows what was cut off at the end, which the chain alone cannot', () => {
    expect(verifyJournal(whole.slice(0, 3)).intact).toBe(true);
    expect(found(whole.slice(0, 3), whole)).toMatchObject({
      intact: false,
      findings: ['removed 4', 'removed 5'],
    });
  });

  test('shows a chain that was written anew, naming the very entry', () => {
    const changed = bodies(1, 5).map((body) => (body.index === 2 ? { ...body, text: 'nothing' } : body));
    const anew = chain(BEFORE_THE_FIRST, changed);
    expect(verifyJournal(anew).intact).toBe(true);
    expect(found(anew, whole)).toMatchObject({ intact: false, findings: ['replaced 2'] });
  });

  test('shows an entry taken out of a chain that was written anew without it', () => {
    const anew = chain(
      BEFORE_THE_FIRST,
      bodies(1, 5).filter(({ index }) => index !== 3),
    );
    expect(found(anew, whole)).toMatchObject({ complete: false, findings: ['missing 3'] });
  });

  test('names an altered entry once', () => {
    const altered = whole.map((entry) =>
      entry.body.index === 2 ? { ...entry, body: { ...entry.body, text: 'nothing' } } : entry,
    );
    const { findings, verdict } = found(altered, whole);
    expect(findings).toEqual(['altered 2']);
    expect(verdict.findings[0]?.text).toContain('The anchors hold it as it was.');
  });

  test('tells what waits in a spool here from what was tampered with', () => {
    const waiting = { forStore: new Set(['0/4', '0/5']), forAnchors: new Set(['0/5']) };
    expect(found(whole.slice(0, 3), whole, waiting)).toMatchObject({
      intact: true,
      complete: false,
      findings: ['missing 4', 'missing 5'],
    });
    const { findings, verdict } = found(whole, whole.slice(0, 3), waiting);
    expect(findings).toEqual(['unanchored 4', 'unanchored 5']);
    expect(verdict.findings.map(({ text }) => text)).toEqual([
      expect.stringContaining('its object was removed from the bucket'),
      expect.stringContaining('it waits in the spool here'),
    ]);
  });
});

describe('anchors by themselves', () => {
  test('are whole in any order, and name what is in none of them', () => {
    expect(verifyAnchored([...whole].reverse())).toMatchObject({ intact: true, complete: true });
    expect(verifyAnchored(whole.filter(({ body }) => body.index !== 2)).findings).toMatchObject([
      { kind: 'missing', index: 2 },
    ]);
  });

  test('show an entry that another was put in the place of', () => {
    const other = chain(BEFORE_THE_FIRST, [{ ...bodies(1, 1)[0], text: 'nothing' } as never]);
    expect(verifyAnchored([...other, ...whole.slice(1)]).findings).toMatchObject([
      { kind: 'replaced', index: 1 },
    ]);
  });
});

describe('a run that was taken over', () => {
  const after = chain(whole[2]?.hash ?? '', bodies(4, 6, 1));

  test('goes on behind what was anchored; what the lost server sends later does not count', () => {
    const { standing, overtaken } = standingOf([...whole, ...after]);
    expect(standing.map(({ body }) => placeOf(body))).toEqual(['0/1', '0/2', '0/3', '1/4', '1/5', '1/6']);
    expect(overtaken.map(({ body }) => placeOf(body))).toEqual(['0/4', '0/5']);
    expect(verifyAnchored([...after, ...whole])).toMatchObject({ intact: true, complete: true });
    expect(
      found(
        [
          ...chain(
            BEFORE_THE_FIRST,
            [...whole, ...after].map(({ body }) => body),
          ),
        ],
        [...whole, ...after],
      ),
    ).toMatchObject({
      intact: true,
      complete: true,
    });
  });
});
