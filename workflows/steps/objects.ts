/** Files in object stores, wherever they come back: the bucket in use, and what is held against it. */
import type { BucketMade, DatabaseAt, FilesReconciled } from '../../activities/contract.js';
import { bucketCommands, reconcileCommands } from '../../activities/objects/commands.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import type { GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { minutes, type Place } from './parts.js';

/** A store of the runbook with its name there. */
export interface NamedStore {
  readonly name: string;
  readonly store: ObjectStore;
}

/** The store as it is once the secondary bucket is the one in use; the lost one takes no part in it. */
export function withSecondaryInUse({ store, name }: NamedStore): NamedStore {
  if (store.secondary === undefined) throw new Error(`objects.${name} has no secondary bucket`);
  const { secondary, ...rest } = store;
  return { name, store: { ...rest, primary: secondary } };
}

/**
 * The other bucket becomes the one in use: with versions, CORS rules and policy as the lost one had them. It may be done at once
 * with everything else; that applications use it is their deployment's part.
 */
export function takeOverFiles<Params>(
  plan: PlanBuilder<Params>,
  { approved }: { readonly approved: StepHandle<GateOutcome> },
  { name, store }: NamedStore,
): StepHandle<BucketMade> {
  const { bucket, region } = store.primary;
  return plan.step({
    name: `take-over-${name}`,
    title: `Make bucket ${bucket} in ${region} the one in use`,
    effect: 'production',
    restores: [store.component],
    budgetMs: 10 * minutes,
    needs: {},
    after: [approved],
    commands: bucketCommands({ store }),
    skipping: `bucket ${bucket} may keep no versions, and browsers may be refused what they were allowed`,
    do: ({ at, careful }) => careful.makeBucket({ at, store }),
  });
}

/** Rows of a recovered copy against the files: what was written and not yet copied is known by name. Holds nothing up. */
export function reconcileWithCopy<Params>(
  plan: PlanBuilder<Params>,
  {
    place,
    files,
  }: {
    readonly place: StepHandle<Place>;
    /** What the copy stands still since. */
    readonly files: StepHandle<unknown>;
  },
  { name, store }: NamedStore,
  { target, targetAt }: { readonly target: DatabaseAt; readonly targetAt: (place: Place) => DatabaseAt },
): StepHandle<FilesReconciled> {
  return plan.step({
    name: `reconcile-${name}`,
    title: `Hold the rows of the copy against the files in ${store.primary.bucket}`,
    effect: 'none',
    restores: [store.component],
    budgetMs: 60 * minutes,
    needs: { place },
    after: [files],
    commands: reconcileCommands({ store, database: target }),
    skipping: `nobody knows which files of ${store.title} are missing`,
    do: ({ at, long }, { place }) => long.reconcileFiles({ at, store, database: targetAt(place) }),
  });
}
