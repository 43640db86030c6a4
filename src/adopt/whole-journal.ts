/** One journal from what is anchored and what the store has beyond that. Pure. */
import { PermanentError, RefusedError } from '../errors.js';
import type { AnchoredJournal } from '../store/anchor-journal.js';
import { verifyAnchored, verifyBoth } from '../store/anchor-verify.js';
import { BEFORE_THE_FIRST, type ChainedEntry, chain } from '../store/chain.js';
import { placeOf, standingOf } from '../store/standing.js';
import { verifyJournal } from '../store/verify-journal.js';

export interface WholeJournal {
  /** The standing ones by index, in the chain of the anchors. */
  readonly entries: readonly ChainedEntry[];
  /** Those of them that were in the store alone: they are to be anchored. */
  readonly unanchored: readonly ChainedEntry[];
}

const nothingWaits = { forStore: new Set<string>(), forAnchors: new Set<string>() };

/**
 * @param anchored as it was read, with what is wrong with it
 * @param proven how its anchors were checked: with a key that was had from elsewhere what was put over them takes nothing
 *   away; with the key that they name themselves anything might be put there
 * @param stored the store's; undefined: it is gone, the anchors alone count
 * @throws RefusedError `JournalAltered` naming what was tampered with: nobody goes on from that; PermanentError
 *   `JournalIncomplete`
 */
export function wholeJournal(
  anchored: AnchoredJournal,
  stored: readonly ChainedEntry[] | undefined,
  proven: 'by a trusted key' | 'by their own key' = 'by their own key',
): WholeJournal {
  const verdict =
    stored === undefined
      ? verifyAnchored(anchored.entries)
      : verifyBoth(verifyJournal(stored), stored, anchored.entries, nothingWaits);
  // What is anchored and not in the store is no tampering with what is gone on from: the anchors count.
  const known = new Set(anchored.entries.map(({ body }) => body.index));
  const tampering = verdict.findings.filter(
    ({ kind, index }) =>
      kind !== 'missing' && kind !== 'unanchored' && !(kind === 'removed' && known.has(index)),
  );
  const covered = new Set(proven === 'by a trusted key' ? anchored.covered : []);
  const problems = anchored.problems.filter((text) => !covered.has(text));
  const said = [...tampering.map(({ text }) => text), ...problems];
  if (anchored.entries.length === 0 && anchored.otherKeys.length > 0) throw otherKey(anchored);
  if (said.length > 0) {
    throw new RefusedError('JournalAltered', `The journal was tampered with: ${said.join(' ')}`, {
      why: 'A run that goes on from a false record could promote what was never verified.',
      next: whatThen(anchored, problems),
    });
  }
  const all = standingOf([...anchored.entries, ...(stored ?? [])]).standing;
  const gap = all.findIndex(({ body }, position) => body.index !== position + 1);
  if (all.length === 0 || gap >= 0) {
    throw new PermanentError('JournalIncomplete', `Entry ${gap + 1} of the journal is not there.`, {
      why: 'It is in no anchor; it may wait in the spool of a worker that was lost.',
      next: "Bring that worker's folder (MUSTER_HOME) back and give the command there; or recover with a new run.",
    });
  }
  const entries = chain(
    BEFORE_THE_FIRST,
    all.map(({ body }) => body),
  );
  const places = new Set(anchored.entries.map(({ body }) => placeOf(body)));
  return { entries, unanchored: entries.filter(({ body }) => !places.has(placeOf(body))) };
}

function otherKey({ otherKeys, objects }: AnchoredJournal): RefusedError {
  return new RefusedError(
    'AnchorKeyOther',
    `None of the ${objects} anchors of this run is signed with the key that was given: they name ${otherKeys.join(' and ')}.`,
    {
      why: 'Either the file is another key than that of the workers (MUSTER_SIGNING_KEY), or somebody else wrote the anchors.',
      next: 'Compare the fingerprints: muster journal verify --anchor-only without --key shows that of the anchors. Give the key that is right; never go on from anchors whose key you do not know.',
    },
  );
}

function whatThen(anchored: AnchoredJournal, problems: readonly string[]): string {
  const whole = verifyAnchored(anchored.entries).findings.length === 0;
  if (whole && problems.length === 0) {
    return 'The anchors by themselves are whole: go on from them alone, the same command with --from-anchor. Find out who changed the store.';
  }
  if (whole && problems.every((text) => anchored.covered.includes(text))) {
    return 'What was signed lies beneath, locked and whole: with the public key that you have from elsewhere (--key) the run goes on from that. Find out who wrote to the bucket.';
  }
  return 'Find out who did it (muster journal verify says which entry and object); recover with a new run meanwhile.';
}
