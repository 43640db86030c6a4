/** Files deleted or overwritten by mistake: the versions from before come back, and only those. */
import { PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import { activitySignal, keepResumePoint, resumePoint } from '../context.js';
import type { FileFinding, MusterActivities, ObjectDamage, ObjectsRestored } from '../contract.js';
import { requireVersioning } from './bucket.js';
import { chooseVersion, isMd5, type Window } from './choice.js';
import { troubleIn } from './content.js';
import type { BucketDriver, ObjectVersion } from './driver.js';
import { inParallel, patiently } from './parallel.js';

type Input = Parameters<MusterActivities['restoreObjects']>[0];
type Wanted = Omit<Input, 'at' | 'store'>;

const SAMPLES = 20;
const NAMED = 200;
/** Keys that are looked at before the copies among them are made, and the place is kept. */
const BATCH = 500;

/** @throws PermanentError `MomentUnreadable`, `BucketMissing`, `BucketDenied` */
export async function assess(bucket: BucketDriver, input: Wanted): Promise<ObjectDamage> {
  const window = windowOf(input);
  const found = { deleted: 0, overwritten: 0, bytes: 0, intact: 0, leftAlone: 0 };
  const samples: string[] = [];
  for await (const history of bucket.histories(input.prefix ?? '', undefined)) {
    const choice = chooseVersion(history, window);
    if (choice.kind === 'intact') found.intact += 1;
    if (choice.kind === 'left-alone') found.leftAlone += 1;
    if (choice.kind !== 'bring-back') continue;
    found[choice.was] += 1;
    found.bytes += choice.version.bytes;
    if (samples.length < SAMPLES) samples.push(history.key);
  }
  const { deleted, overwritten, bytes, intact } = found;
  return {
    ...found,
    samples,
    summary: `${formatCount(deleted)} files deleted and ${formatCount(overwritten)} overwritten since ${input.before} (${formatBytes(bytes)}), ${formatCount(intact)} as they were`,
  };
}

interface Standing {
  readonly after: string;
  readonly restored: number;
  readonly bytes: number;
  readonly intact: number;
  readonly leftAlone: number;
  readonly failedCount: number;
  readonly failed: readonly FileFinding[];
}

const nothingYet: Standing = {
  after: '',
  restored: 0,
  bytes: 0,
  intact: 0,
  leftAlone: 0,
  failedCount: 0,
  failed: [],
};

/**
 * @throws PermanentError `BucketNotVersioned`: a copy over an object would destroy what stands there; TransientError
 *   `ObjectStoreUnreachable`, and the next attempt goes on behind the last batch
 */
export async function restore(bucket: BucketDriver, input: Input): Promise<ObjectsRestored> {
  const window = windowOf(input);
  await requireVersioning(bucket);
  let standing = (resumePoint() as Standing | undefined) ?? nothingYet;
  let batch: ObjectVersion[] = [];
  const flush = async (after: string, seen: { intact: number; leftAlone: number }) => {
    const { count, bytes, failed } = await bringBack(bucket, batch, input.store.parallel);
    batch = [];
    standing = {
      after,
      restored: standing.restored + count,
      bytes: standing.bytes + bytes,
      intact: standing.intact + seen.intact,
      leftAlone: standing.leftAlone + seen.leftAlone,
      failedCount: standing.failedCount + failed.length,
      failed: [...standing.failed, ...failed].slice(0, NAMED),
    };
    keepResumePoint(standing, {
      done: standing.restored,
      unit: 'files',
      text: `bringing files back, behind ${after}`,
    });
  };
  let seen = { intact: 0, leftAlone: 0 };
  let last = standing.after;
  let looked = 0;
  for await (const history of bucket.histories(input.prefix ?? '', standing.after || undefined)) {
    const choice = chooseVersion(history, window);
    if (choice.kind === 'bring-back') batch.push(choice.version);
    if (choice.kind === 'intact') seen.intact += 1;
    if (choice.kind === 'left-alone') seen.leftAlone += 1;
    last = history.key;
    looked += 1;
    if (looked % BATCH !== 0) continue;
    await flush(last, seen);
    seen = { intact: 0, leftAlone: 0 };
  }
  await flush(last, seen);
  const { after: _after, ...result } = standing;
  return { ...result, summary: summaryOf(result) };
}

async function bringBack(
  bucket: BucketDriver,
  versions: readonly ObjectVersion[],
  parallel: number,
): Promise<{ count: number; bytes: number; failed: FileFinding[] }> {
  const signal = activitySignal();
  const done = { count: 0, bytes: 0, failed: [] as FileFinding[] };
  await inParallel(versions, parallel, async (version) => {
    const why = await patiently(signal, async () => {
      try {
        return await bringBackOne(bucket, version);
      } catch (error) {
        // What is wrong with one version must not keep the others away.
        if (!(error instanceof PermanentError) || error.code !== 'StoreRefused') throw error;
        return error.message;
      }
    });
    if (why === undefined) {
      done.count += 1;
      done.bytes += version.bytes;
    } else done.failed.push({ key: version.key, why });
  });
  return done;
}

/** @returns what is wrong with it: then what stood there stands there again */
async function bringBackOne(bucket: BucketDriver, version: ObjectVersion): Promise<string | undefined> {
  // The store counts the MD5 of what it copies whole anew; one of an upload in parts cannot be compared with that.
  const trouble = isMd5(version.etag) ? undefined : await troubleIn(bucket, version);
  if (trouble !== undefined) return trouble;
  const made = await bucket.bringBack(version);
  const why = difference(version, made);
  if (why !== undefined) await bucket.takeBack(made);
  return why;
}

/** What the copy is held against: size, and content where the entity tags tell it. */
function difference(
  version: ObjectVersion,
  now: { readonly bytes: number; readonly etag: string },
): string | undefined {
  if (now.bytes !== version.bytes) return `its version of ${version.bytes} bytes came back with ${now.bytes}`;
  if (isMd5(version.etag) && isMd5(now.etag) && version.etag !== now.etag) {
    return 'its version does not have the content any more that was written: the store has damaged it';
  }
  return undefined;
}

function windowOf({ before, until, damage }: Wanted): Window {
  return {
    beforeMs: moment(before, 'before'),
    untilMs: until === undefined ? Number.POSITIVE_INFINITY : moment(until, 'until'),
    damage,
  };
}

function moment(iso: string, field: string): number {
  const atMs = Date.parse(iso);
  if (Number.isFinite(atMs)) return atMs;
  throw new PermanentError('MomentUnreadable', `${field} is no moment: ${JSON.stringify(iso)}.`, {
    next: 'Give it in ISO 8601 with a zone, for instance 2026-11-21T02:59:40Z.',
  });
}

function summaryOf({ restored, bytes, intact, leftAlone, failedCount }: Omit<Standing, 'after'>): string {
  const rest = [
    `${formatCount(intact)} were as they should be`,
    ...(leftAlone === 0 ? [] : [`${formatCount(leftAlone)} changed on purpose were left alone`]),
    ...(failedCount === 0 ? [] : [`${formatCount(failedCount)} could not be brought back as they were`]),
  ];
  return `${formatCount(restored)} files brought back (${formatBytes(bytes)}); ${rest.join('; ')}`;
}
