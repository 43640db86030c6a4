/** Checks a journal's chain and names each entry that was altered, removed or moved. Pure: no store is needed. */
import { BEFORE_THE_FIRST, type ChainedEntry, entryHash, headOf, type JournalHead } from './chain.js';

export interface JournalFinding {
  /**
   * `altered`: the content does not fit its hash. `replaced`: altered, and its hash made anew. `removed`: an entry that was
   * in the chain is gone. `reordered`: it does not stand where it was written. `foreign`: it belongs to another run.
   * `missing`: it never arrived, which is no tampering: it may wait in a worker's spool. `unanchored`: it is in the store
   * and in no anchor.
   */
  readonly kind: 'altered' | 'replaced' | 'removed' | 'reordered' | 'foreign' | 'missing' | 'unanchored';
  /** The entry's index in its run. */
  readonly index: number;
  readonly text: string;
}

export interface JournalVerdict {
  /** Nothing was tampered with; entries may still be missing. */
  readonly intact: boolean;
  /** Every entry from the first to the last one is there. */
  readonly complete: boolean;
  readonly head: JournalHead;
  readonly findings: readonly JournalFinding[];
}

/**
 * @param entries all of one run's, in the order in which they are stored
 * @param expected the head as it was signed or anchored outside; without it, entries cut off at the end and a chain that
 *   was written anew from some entry on cannot be noticed
 */
export function verifyJournal(entries: readonly ChainedEntry[], expected?: JournalHead): JournalVerdict {
  const written = inWrittenOrder(entries);
  const altered = new Set(
    entries.filter((entry) => entryHash(entry.previousHash, entry.body) !== entry.hash),
  );
  const absent = absentIndexes(entries);
  const breaks = brokenLinks(written, altered, absent);
  const removed = new Set(breaks.filter(({ kind }) => kind === 'removed').map(({ index }) => index));
  const tampering = [
    ...[...altered].map(({ body }) =>
      finding('altered', body.index, 'does not fit its hash: it was altered'),
    ),
    ...ofOtherRuns(entries),
    ...moved(entries, written),
    ...breaks,
    ...(expected === undefined ? [] : againstHead(written, expected)),
  ].sort((one, other) => one.index - other.index);
  const missing = absent
    .filter((index) => !removed.has(index))
    .map((index) =>
      finding('missing', index, 'has not arrived; the chain is whole without it, it may wait in a spool'),
    );
  return {
    intact: tampering.length === 0,
    complete: absent.length === 0,
    head: headOf(written),
    findings: [...tampering, ...missing],
  };
}

function finding(kind: JournalFinding['kind'], index: number, text: string): JournalFinding {
  return { kind, index, text: `Entry ${index} ${text}.` };
}

/** The order that the hashes themselves tell: from the first entry on, and from each one whose predecessor is gone. */
function inWrittenOrder(entries: readonly ChainedEntry[]): ChainedEntry[] {
  const hashes = new Set(entries.map((entry) => entry.hash));
  const next = new Map(entries.map((entry) => [entry.previousHash, entry]));
  const starts = entries
    .filter((entry) => !hashes.has(entry.previousHash) || next.get(entry.previousHash) !== entry)
    .sort((one, other) => one.body.index - other.body.index);
  const order = new Set<ChainedEntry>();
  for (const start of [...starts, ...entries]) {
    for (
      let entry: ChainedEntry | undefined = start;
      entry !== undefined && !order.has(entry);
      entry = next.get(entry.hash)
    ) {
      order.add(entry);
    }
  }
  return [...order];
}

/** Indexes below the highest one that no entry has. */
function absentIndexes(entries: readonly ChainedEntry[]): number[] {
  const present = new Set(entries.map((entry) => entry.body.index));
  const last = entries.reduce((highest, { body }) => Math.max(highest, body.index), 0);
  // An index that was tampered with may be anything: the list stays bounded.
  const upTo = Math.min(last, entries.length + 10_000);
  return Array.from({ length: upTo }, (_, position) => position + 1).filter((index) => !present.has(index));
}

function ofOtherRuns(entries: readonly ChainedEntry[]): JournalFinding[] {
  const runId = entries[0]?.body.runId;
  return entries
    .filter(({ body }) => body.runId !== runId)
    .map(({ body }) => finding('foreign', body.index, `belongs to another run, ${body.runId}`));
}

/** The fewest entries that have to move for the stored order to be the written one. */
function moved(stored: readonly ChainedEntry[], written: readonly ChainedEntry[]): JournalFinding[] {
  const rank = new Map(written.map((entry, position) => [entry, position]));
  const staying = longestRise(stored.map((entry) => rank.get(entry) ?? 0));
  return stored
    .filter((_, position) => !staying.has(position))
    .map((entry) => {
      const before = written[(rank.get(entry) ?? 0) - 1];
      const place = before === undefined ? 'at the beginning' : `behind entry ${before.body.index}`;
      return finding('reordered', entry.body.index, `does not stand where it was written, ${place}`);
    });
}

/** Positions of a longest strictly rising subsequence. */
function longestRise(values: readonly number[]): Set<number> {
  const tails: number[] = [];
  const before: number[] = [];
  values.forEach((value, position) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    before[position] = tails[low - 1] ?? -1;
    tails[low] = position;
  });
  const rise = new Set<number>();
  for (let position = tails.at(-1) ?? -1; position >= 0; position = before[position] ?? -1)
    rise.add(position);
  return rise;
}

function brokenLinks(
  written: readonly ChainedEntry[],
  altered: ReadonlySet<ChainedEntry>,
  absent: readonly number[],
): JournalFinding[] {
  return written.flatMap((entry, position) => {
    const before = written[position - 1];
    if (entry.previousHash === (before?.hash ?? BEFORE_THE_FIRST)) return [];
    const between = absent.filter((index) => index > (before?.body.index ?? 0) && index < entry.body.index);
    const gone = between.length > 0 ? between : absent;
    if (gone.length > 0) return gone.map((index) => finding('removed', index, 'was removed'));
    if (altered.has(entry) || (before !== undefined && altered.has(before))) return [];
    const culprit = before ?? entry;
    return [
      finding(
        'replaced',
        culprit.body.index,
        'is not the one that the next was chained to: it was replaced, and its hash made anew',
      ),
    ];
  });
}

function againstHead(written: readonly ChainedEntry[], expected: JournalHead): JournalFinding[] {
  if (expected.entries === 0) return [];
  const last = written[expected.entries - 1];
  if (last?.hash === expected.hash) return [];
  // Where an entry is gone from the middle, the head that was signed is still there, only nearer.
  if (written.some((entry) => entry.hash === expected.hash)) return [];
  if (written.length < expected.entries) {
    const index = Math.max(0, ...written.map((entry) => entry.body.index)) + 1;
    return [finding('removed', index, `and all after it were removed: ${expected.entries} were signed for`)];
  }
  return [
    finding(
      'replaced',
      last?.body.index ?? 0,
      'is not the one that was signed for: it, or one before it, was replaced',
    ),
  ];
}
