/** What is lost of the files of a store. Types only. */
import type { ObjectLossParams } from '../../src/model/run.js';
import type { ObjectStore } from '../../src/runbook/schema.js';
import type { ObjectDamage, StepRef, Summarised } from '../results.js';

/** What the secondary bucket has and the one in use has not. */
export interface MissingFiles {
  readonly missing: number;
  readonly bytes: number;
  /** There in both, with another size or content: the one in use stays as it is. */
  readonly differing: number;
  readonly same: number;
  /** The first keys that come back. */
  readonly samples: readonly string[];
}

export interface FilesLoss extends Summarised {
  readonly window: ObjectLossParams;
  /**
   * `files-damaged`: the bucket is there, and versions of it come back; `bucket-lost`: it is gone; `bucket-incomplete`: it is there,
   * and what the secondary has besides comes back.
   */
  readonly kind: 'files-damaged' | 'bucket-lost' | 'bucket-incomplete';
  /** Of files that were damaged. */
  readonly damage?: ObjectDamage;
  /** Of a bucket that is lost or incomplete. */
  readonly missing?: MissingFiles;
}

export interface ObjectsActivities {
  /**
   * Looks what is lost of the files; changes nothing.
   *
   * @throws PermanentError `NothingMissing` where no moment is given and the bucket has all that the secondary has
   */
  assessFiles(input: { at: StepRef; store: ObjectStore; window: ObjectLossParams }): Promise<FilesLoss>;
}
