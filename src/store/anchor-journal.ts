/** Reads a run's journal from its anchors alone, and says what is wrong with them. */
import type { KeyObject } from 'node:crypto';
import { canonicalJson } from '../model/canonical-json.js';
import type { AnchorBucket, AnchorVersion } from './anchor-bucket.js';
import { type AnchorDocument, anchorPrefix, checkAnchor } from './anchor-document.js';
import type { ChainedEntry } from './chain.js';
import { placeOf } from './standing.js';

export interface AnchoredJournal {
  /** Entries of every anchor that is as it was signed, each once, by object. */
  readonly entries: readonly ChainedEntry[];
  /** What is wrong with objects in the bucket, a sentence each. */
  readonly problems: readonly string[];
  /** Those of the problems that take nothing away: what was signed lies beneath, locked, and was read. */
  readonly covered: readonly string[];
  /** Fingerprints of the keys that they are signed with. */
  readonly signedBy: readonly string[];
  /** Fingerprints of keys that objects name instead of the one that is trusted. */
  readonly otherKeys: readonly string[];
  readonly objects: number;
}

/** Objects that are read at once. */
const AT_ONCE = 8;

/**
 * @param trusted the public key as it was had from elsewhere; without it the one in each anchor is used
 * @throws what the bucket throws when it cannot be read
 */
export async function readAnchors(
  bucket: AnchorBucket,
  runId: string,
  trusted: KeyObject | undefined,
): Promise<AnchoredJournal> {
  const byKey = new Map<string, AnchorVersion[]>();
  for (const version of await bucket.versions(anchorPrefix(runId))) {
    byKey.set(version.key, [...(byKey.get(version.key) ?? []), version]);
  }
  const keys = [...byKey.keys()].sort();
  const found: FoundObject[] = [];
  for (let at = 0; at < keys.length; at += AT_ONCE) {
    found.push(
      ...(await Promise.all(
        keys.slice(at, at + AT_ONCE).map((key) => readObject(bucket, key, byKey.get(key) ?? [], trusted)),
      )),
    );
  }
  const documents = found.flatMap(({ document }) => (document === undefined ? [] : [document]));
  const entries = new Map<string, ChainedEntry>();
  const twice: string[] = [];
  for (const entry of documents.flatMap((document) => document.entries)) {
    const other = entries.get(placeOf(entry.body));
    if (other === undefined) entries.set(placeOf(entry.body), entry);
    else if (other.hash !== entry.hash)
      twice.push(`Entry ${entry.body.index} was anchored twice, with different content, signed both times.`);
  }
  return {
    entries: [...entries.values()],
    problems: [...found.flatMap(({ problems }) => problems), ...twice],
    covered: found.flatMap(({ covered }) => covered),
    signedBy: [...new Set(documents.map(({ signedBy }) => signedBy.fingerprint))],
    otherKeys: [...new Set(found.flatMap(({ otherKeys }) => otherKeys))],
    objects: keys.length,
  };
}

interface FoundObject {
  readonly document?: AnchorDocument;
  readonly problems: readonly string[];
  readonly covered: readonly string[];
  readonly otherKeys: readonly string[];
}

/** The oldest version that is as it was signed counts; what was put over it, or hides it, is told. */
async function readObject(
  bucket: AnchorBucket,
  key: string,
  versions: readonly AnchorVersion[],
  trusted: KeyObject | undefined,
): Promise<FoundObject> {
  const problems: string[] = [];
  const covered: string[] = [];
  const otherKeys: string[] = [];
  let document: AnchorDocument | undefined;
  let locked = false;
  for (const version of versions) {
    if (version.deleted) {
      covered.push(
        `The anchor ${key} was deleted: a marker hides it, and the locked version below was read.`,
      );
      continue;
    }
    const { text, lockedUntil } = await bucket.read(version);
    const checked = checkAnchor(key, text, trusted);
    if ('bad' in checked) {
      covered.push(`The anchor ${key}${which(version, versions)} ${checked.bad}.`);
      if (checked.otherKey !== undefined) otherKeys.push(checked.otherKey);
      continue;
    }
    if (document === undefined) {
      document = checked.good;
      locked = lockedUntil !== undefined;
      if (!locked)
        problems.push(`The anchor ${key} is under no lock in compliance mode: it could be removed.`);
    } else if (canonicalJson(document.entries) !== canonicalJson(checked.good.entries)) {
      problems.push(`The anchor ${key} was written over with other entries, signed too.`);
    }
  }
  return {
    problems: [...covered, ...problems],
    covered: locked ? covered : [],
    otherKeys,
    ...(document === undefined ? {} : { document }),
  };
}

function which({ versionId }: AnchorVersion, versions: readonly AnchorVersion[]): string {
  return versions.length === 1 ? '' : `, version ${versionId},`;
}
