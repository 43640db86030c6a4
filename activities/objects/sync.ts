/** One bucket filled from another: what is missing or differs is copied, in parallel, page by page of the source. */
import { PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import { activitySignal, keepResumePoint, reportProgress, resumePoint } from '../context.js';
import type { BucketSynced, FileFinding } from '../contract.js';
import { requireVersioning } from './bucket.js';
import { isMd5 } from './choice.js';
import { type Copied, copyObject } from './copy.js';
import type { BucketDriver, ListedObject } from './driver.js';
import { Listing } from './listing.js';
import { inParallel, patiently } from './parallel.js';

const NAMED = 200;

interface Standing {
  /** Everything up to this key is done. */
  readonly after: string;
  readonly objects: number;
  readonly copied: number;
  readonly copiedBytes: number;
  readonly same: number;
  readonly onlyInTarget: number;
  readonly differingLeft: number;
  readonly damagedCount: number;
  readonly damaged: readonly FileFinding[];
}

const nothingYet: Standing = {
  after: '',
  objects: 0,
  copied: 0,
  copiedBytes: 0,
  same: 0,
  onlyInTarget: 0,
  differingLeft: 0,
  damagedCount: 0,
  damaged: [],
};

/**
 * Nothing is deleted in the target, and what is overwritten there stays as a version.
 *
 * @param differing what becomes of files that both have and that differ: `left`, where the target has the newer ones
 * @throws PermanentError `BucketNotVersioned`, `BucketMissing`, `BucketDenied`; TransientError `ObjectStoreUnreachable`, and
 *   the next attempt goes on behind the last whole page
 */
export async function sync(
  from: BucketDriver,
  to: BucketDriver,
  parallel: number,
  differing: 'copied' | 'left' = 'copied',
): Promise<BucketSynced> {
  const signal = activitySignal();
  await requireVersioning(to);
  let standing: Standing = { ...nothingYet, ...(resumePoint() as Standing | undefined) };
  const there = new Listing(to, standing.after || undefined);
  for await (const page of from.list(standing.after || undefined)) {
    const last = page.at(-1)?.key;
    if (last === undefined) continue;
    const present = await there.upTo(last);
    const unlike = page.filter((object) => differs(object, present.get(object.key)));
    const missing = differing === 'copied' ? unlike : unlike.filter(({ key }) => !present.has(key));
    const keys = new Set(page.map(({ key }) => key));
    const done = { copied: 0, copiedBytes: 0, damaged: [] as FileFinding[] };
    await inParallel(missing, parallel, async (object) => {
      const result = await patiently(signal, () => copyObject(from, to, object)).catch(refusedAlone);
      if (result.kind === 'damaged') done.damaged.push({ key: object.key, why: result.why });
      if (result.kind !== 'copied') return;
      done.copied += 1;
      done.copiedBytes += result.bytes;
      reportProgress(progressOf(standing.copied + done.copied, standing.copiedBytes + done.copiedBytes));
    });
    standing = {
      after: last,
      objects: standing.objects + page.length,
      copied: standing.copied + done.copied,
      copiedBytes: standing.copiedBytes + done.copiedBytes,
      same: standing.same + page.length - unlike.length,
      differingLeft: standing.differingLeft + unlike.length - missing.length,
      onlyInTarget: standing.onlyInTarget + [...present.keys()].filter((key) => !keys.has(key)).length,
      damagedCount: standing.damagedCount + done.damaged.length,
      damaged: [...standing.damaged, ...done.damaged].slice(0, NAMED),
    };
    keepResumePoint(standing, progressOf(standing.copied, standing.copiedBytes));
  }
  const { after: _after, ...counted } = standing;
  const result = { ...counted, onlyInTarget: counted.onlyInTarget + (await there.rest()) };
  return { ...result, summary: summaryOf(result) };
}

/** One file that a store will not take or give must not keep the others away. */
function refusedAlone(error: unknown): Copied {
  if (error instanceof PermanentError && error.code === 'StoreRefused') {
    return { kind: 'damaged', why: error.message };
  }
  throw error;
}

function progressOf(copied: number, bytes: number) {
  return { done: copied, unit: 'files' as const, text: `copying files, ${formatBytes(bytes)} so far` };
}

/** Entity tags of uploads in parts depend on the parts: those are copied again only where the size differs. */
export function differs(wanted: ListedObject, found: ListedObject | undefined): boolean {
  if (found === undefined || found.bytes !== wanted.bytes) return true;
  return isMd5(wanted.etag) && isMd5(found.etag) && wanted.etag !== found.etag;
}

function summaryOf(result: Omit<Standing, 'after'>): string {
  const { objects, copied, copiedBytes, same, onlyInTarget, differingLeft, damagedCount } = result;
  return [
    `${formatCount(copied)} of ${formatCount(objects)} files copied (${formatBytes(copiedBytes)}), ${formatCount(same)} were there`,
    ...(onlyInTarget === 0 ? [] : [`${formatCount(onlyInTarget)} only in the target were left alone`]),
    ...(differingLeft === 0
      ? []
      : [`${formatCount(differingLeft)} that differ were left as they are in the target`]),
    ...(damagedCount === 0 ? [] : [`${formatCount(damagedCount)} could not be copied as they were written`]),
  ].join('; ');
}
