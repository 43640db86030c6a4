/** Files in object stores: looked at, brought back, copied from the secondary bucket, reconciled with the database. */
import { PermanentError } from '../../src/errors.js';
import type { Bucket, ObjectStore } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { lookAt, makeBucket } from './bucket.js';
import type { BucketDriver } from './driver.js';
import { assessLoss } from './loss.js';
import { reconcile } from './reconcile.js';
import { assess, restore } from './restore.js';
import { openBucket } from './s3.js';
import { sync } from './sync.js';

const drivers = { s3: openBucket } as const satisfies Record<
  ObjectStore['driver'],
  (bucket: Bucket, signal: AbortSignal) => Promise<BucketDriver>
>;

export function objectsActivities(): Pick<
  MusterActivities,
  'assessFiles' | 'assessObjects' | 'restoreObjects' | 'makeBucket' | 'syncObjects' | 'reconcileFiles'
> {
  return {
    assessFiles: ({ store, window }) =>
      withBuckets(store, [store.primary, ...others(store)], ([primary, secondary]) =>
        assessLoss(primary as BucketDriver, secondary, store, window),
      ),

    assessObjects: (input) =>
      withBuckets(input.store, [input.store.primary], ([bucket]) => assess(bucket, input)),

    async restoreObjects(input) {
      requireReal(input.at, `change files in bucket ${input.store.primary.bucket}`);
      return withBuckets(input.store, [input.store.primary], ([bucket]) => restore(bucket, input));
    },

    async makeBucket({ at, store }) {
      requireReal(at, `make bucket ${store.primary.bucket}`);
      return withBuckets(store, [store.primary], ([bucket]) => makeBucket(bucket, store));
    },

    async syncObjects({ at, store, from, differing }) {
      const secondary = requireSecondary(store);
      const pair: [Bucket, Bucket] =
        from === 'primary' ? [store.primary, secondary] : [secondary, store.primary];
      requireReal(at, `copy files into bucket ${pair[1].bucket}`);
      return withBuckets(store, pair, ([source, target]) => sync(source, target, store.parallel, differing));
    },

    reconcileFiles: ({ store, database }) =>
      withBuckets(store, [store.primary], ([bucket]) => reconcile(bucket, store, database)),
  };
}

/** Looks whether files could come back now; changes nothing. @throws what the driver throws, `BucketNotVersioned` */
export function objectsReadiness(store: ObjectStore): Promise<string> {
  return withBuckets(store, [store.primary, ...others(store)], async ([primary, secondary]) => {
    const said = [await lookAt(primary as BucketDriver)];
    if (secondary !== undefined) said.push(await lookAt(secondary));
    return said.join('; ');
  });
}

type Open<B extends readonly Bucket[]> = { readonly [K in keyof B]: BucketDriver };

async function withBuckets<const B extends readonly Bucket[], T>(
  store: ObjectStore,
  buckets: B,
  work: (open: Open<B>) => Promise<T>,
): Promise<T> {
  const signal = activitySignal();
  const open = await Promise.all(buckets.map((bucket) => drivers[store.driver](bucket, signal)));
  try {
    return await work(open as unknown as Open<B>);
  } finally {
    for (const bucket of open) bucket.close();
  }
}

function others({ secondary }: ObjectStore): readonly Bucket[] {
  return secondary === undefined ? [] : [secondary];
}

function requireSecondary({ title, secondary }: ObjectStore): Bucket {
  if (secondary !== undefined) return secondary;
  throw new PermanentError('NoSecondary', `${title} has no secondary bucket.`, {
    next: 'Name it in the runbook (objects.<store>.secondary), or bring the files back another way.',
  });
}
