/** What is lost of the files of a store. Types only. */
import type { ObjectStore } from '../../src/runbook/schema.js';
import type { ObjectDamage, StepRef, Summarised } from '../results.js';

/** What people say of a loss of files. */
export interface FilesWindow {
  /** Files were good until this moment, ISO 8601; left out: the bucket is lost. */
  readonly before?: string;
  /** What was written at or after it was done on purpose; to now where left out. */
  readonly until?: string;
  /** Only keys that begin with it. */
  readonly prefix?: string;
  /** `deleted`: only files that were deleted; `changed`: also those that were overwritten. */
  readonly damage: 'deleted' | 'changed';
}

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
  readonly window: FilesWindow;
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
  assessFiles(input: { at: StepRef; store: ObjectStore; window: FilesWindow }): Promise<FilesLoss>;
}
