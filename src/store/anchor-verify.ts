/** Holds a journal against its anchors: what was cut off, written anew, or is in only one of both. Pure. */
import { canonicalJson } from '../model/canonical-json.js';
import { BEFORE_THE_FIRST, type ChainedEntry, type JournalHead } from './chain.js';
import { placeOf, standingOf } from './standing.js';
import type { JournalFinding, JournalVerdict } from './verify-journal.js';

/** Places (`placeOf`) of entries that wait in the spools of this machine. */
export interface WaitingHere {
  readonly forStore: ReadonlySet<string>;
  readonly forAnchors: ReadonlySet<string>;
}

/**
 * The chain of the anchors by itself: it runs in the order of the indexes, from the first entry on.
 *
 * @param anchored of every anchor whose signature holds, in any order
 */
export function verifyAnchored(anchored: readonly ChainedEntry[]): JournalVerdict {
  const { standing } = standingOf(anchored);
  const last = standing.at(-1);
  const byIndex = new Map(standing.map((entry) => [entry.body.index, entry]));
  const findings: JournalFinding[] = [];
  for (let index = 1; index <= (last?.body.index ?? 0); index++) {
    const entry = byIndex.get(index);
    if (entry === undefined) {
      findings.push({
        kind: 'missing',
        index,
        text: `Entry ${index} is in no anchor: its object was removed, or it waits in a worker's spool.`,
      });
      continue;
    }
    const before = index === 1 ? BEFORE_THE_FIRST : byIndex.get(index - 1)?.hash;
    if (before === undefined || entry.previousHash === before) continue;
    findings.push({
      kind: 'replaced',
      index: index - 1,
      text: `Entry ${index - 1} in the anchors is not the one that entry ${index} was chained to.`,
    });
  }
  return {
    intact: findings.every(({ kind }) => kind === 'missing'),
    complete: byIndex.size === (last?.body.index ?? 0),
    head: headOfStanding(standing),
    findings,
  };
}

function headOfStanding(standing: readonly ChainedEntry[]): JournalHead {
  return { entries: standing.length, hash: standing.at(-1)?.hash ?? BEFORE_THE_FIRST };
}

/**
 * Both together.
 *
 * @param verdict of the store's chain by itself
 */
export function verifyBoth(
  verdict: JournalVerdict,
  stored: readonly ChainedEntry[],
  anchored: readonly ChainedEntry[],
  waiting: WaitingHere,
): JournalVerdict {
  const inStore = byPlace(standingOf(stored).standing);
  const inAnchors = byPlace(standingOf(anchored).standing);
  const lastStored = Math.max(0, ...[...inStore.values()].map(({ body }) => body.index));
  const known = new Set(verdict.findings.map(({ index }) => index));
  const own = verifyAnchored(anchored).findings.filter(({ kind }) => kind !== 'missing');
  const found: JournalFinding[] = [];

  for (const [place, entry] of inAnchors) {
    const { index } = entry.body;
    const other = inStore.get(place);
    if (other !== undefined) {
      if (canonicalJson(other.body) !== canonicalJson(entry.body)) found.push(replaced(index));
    } else if (waiting.forStore.has(place)) {
      found.push(missing(index, 'is anchored and not yet in the store: it waits in the spool here'));
    } else if (index > lastStored) {
      found.push({
        kind: 'removed',
        index,
        text: `Entry ${index} is anchored and not in the store: it was cut off the end, or waits in the spool of a worker elsewhere.`,
      });
    } else if (!known.has(index)) {
      found.push(missing(index, 'is anchored and not in the store'));
    }
  }
  for (const [place, entry] of inStore) {
    const { index } = entry.body;
    if (inAnchors.has(place)) continue;
    found.push({
      kind: 'unanchored',
      index,
      text: waiting.forAnchors.has(place)
        ? `Entry ${index} is not anchored yet: it waits in the spool here.`
        : `Entry ${index} is in the store and in no anchor: its object was removed from the bucket, or it waits in the spool of a worker elsewhere.`,
    });
  }

  const confirmed = verdict.findings.map((finding) => withAnchor(finding, [...inAnchors.values()]));
  const findings = [
    ...confirmed,
    ...own,
    ...found.filter(({ kind, index }) => kind !== 'replaced' || !isNamed(verdict.findings, index)),
  ].sort((one, other) => one.index - other.index);
  return {
    ...verdict,
    intact: findings.every(({ kind }) => kind === 'missing' || kind === 'unanchored'),
    complete: verdict.complete && findings.every(({ kind }) => kind !== 'missing' && kind !== 'unanchored'),
    findings,
  };
}

/** What the anchors add to what the store's own chain says. */
function withAnchor(finding: JournalFinding, anchored: readonly ChainedEntry[]): JournalFinding {
  if (!anchored.some(({ body }) => body.index === finding.index)) return finding;
  if (finding.kind === 'missing')
    return missing(finding.index, 'has not arrived in the store, or was taken out of it; it is anchored');
  if (finding.kind === 'altered' || finding.kind === 'removed')
    return { ...finding, text: `${finding.text} The anchors hold it as it was.` };
  return finding;
}

function isNamed(findings: readonly JournalFinding[], index: number): boolean {
  return findings.some(
    (finding) => finding.index === index && (finding.kind === 'altered' || finding.kind === 'replaced'),
  );
}

function replaced(index: number): JournalFinding {
  return {
    kind: 'replaced',
    index,
    text: `Entry ${index} in the store is not the one that was anchored: it was replaced.`,
  };
}

function missing(index: number, what: string): JournalFinding {
  return { kind: 'missing', index, text: `Entry ${index} ${what}.` };
}

function byPlace(entries: readonly ChainedEntry[]): Map<string, ChainedEntry> {
  return new Map(entries.map((entry) => [placeOf(entry.body), entry]));
}
