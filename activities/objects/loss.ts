/** What is lost of the files: versions of a bucket that is there, or what the secondary one has of a bucket that is not. */
import { PermanentError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { ObjectLossParams } from '../../src/model/run.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import { reportProgress } from '../context.js';
import { requireVersioning } from './bucket.js';
import type { FilesLoss, MissingFiles } from './contract.js';
import type { BucketDriver } from './driver.js';
import { Listing } from './listing.js';
import { assess } from './restore.js';
import { differs } from './sync.js';

const SAMPLES = 20;

/**
 * @param secondary undefined: the runbook names none
 * @throws PermanentError `NoSecondary`, `NothingMissing`, `BucketNotVersioned`, and what the driver throws
 */
export async function assessLoss(
  primary: BucketDriver,
  secondary: BucketDriver | undefined,
  store: ObjectStore,
  window: ObjectLossParams,
): Promise<FilesLoss> {
  if (!(await primary.exists())) {
    const missing = await missingIn(undefined, requireCopy(secondary, store));
    return {
      ...{ window, kind: 'bucket-lost', missing },
      summary: `the ${primary.title} is gone; the secondary has ${formatCount(missing.missing)} files (${formatBytes(missing.bytes)})`,
    };
  }
  if (window.before !== undefined) {
    // Without versions nothing can come back, and an approval would be for nothing.
    await requireVersioning(primary);
    const damage = await assess(primary, { ...window, before: window.before });
    return { window, kind: 'files-damaged', damage, summary: damage.summary };
  }
  const missing = await missingIn(primary, requireCopy(secondary, store));
  if (missing.missing === 0) throw nothingMissing(primary, missing);
  return {
    ...{ window, kind: 'bucket-incomplete', missing },
    summary: `the ${primary.title} is there and lacks ${formatCount(missing.missing)} files (${formatBytes(missing.bytes)}) that the secondary has`,
  };
}

async function missingIn(primary: BucketDriver | undefined, secondary: BucketDriver): Promise<MissingFiles> {
  const there = primary === undefined ? undefined : new Listing(primary, undefined);
  const found = { missing: 0, bytes: 0, differing: 0, same: 0 };
  const samples: string[] = [];
  let looked = 0;
  for await (const page of secondary.list(undefined)) {
    const last = page.at(-1)?.key;
    if (last === undefined) continue;
    const present = await there?.upTo(last);
    for (const object of page) {
      const other = present?.get(object.key);
      if (other === undefined) {
        found.missing += 1;
        found.bytes += object.bytes;
        if (samples.length < SAMPLES) samples.push(object.key);
      } else if (differs(object, other)) found.differing += 1;
      else found.same += 1;
    }
    looked += page.length;
    reportProgress({ done: looked, unit: 'files', text: 'looking what the secondary bucket has' });
  }
  return { ...found, samples };
}

function requireCopy(secondary: BucketDriver | undefined, { title, primary }: ObjectStore): BucketDriver {
  if (secondary !== undefined) return secondary;
  throw new PermanentError('NoSecondary', `${title} has no secondary bucket to come back from.`, {
    why: `Bucket ${primary.bucket} is gone, and its versions with it; or no moment was given to go back to.`,
    next: 'Where the bucket is there, abort and begin again with --before. Else find the files elsewhere, and name the bucket that they are in as secondary in the runbook.',
  });
}

function nothingMissing(primary: BucketDriver, { same, differing }: MissingFiles): PermanentError {
  return new PermanentError(
    'NothingMissing',
    `The ${primary.title} is there and has every file that the secondary has (${formatCount(same)} the same, ${formatCount(differing)} differing).`,
    {
      why: 'No moment was given, so a lost bucket was looked for.',
      next: 'Where files were deleted or overwritten, begin with --before, the newest moment at which they were good (approve and retry take it as --point).',
    },
  );
}
