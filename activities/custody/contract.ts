/** Evidence of a breach: what is kept, where, and since when. Types only. */
import type { Anchor, Backup } from '../../src/runbook/schema.js';
import type { DatabaseAt, Quarantine, StepRef, Summarised } from '../results.js';

/** What ends with the server's processes: sessions, settings, roles, as they were before anything was done. */
export interface StateCaptured extends Summarised {
  /**
   * Object in the bucket of the evidence; `file:/...` on the machine of the worker where the bucket did not take it: isolating does not
   * wait for it. null: the server could not be asked.
   */
  readonly key: string | null;
  /** Empty where nothing was kept. */
  readonly sha256: string;
  readonly bytes: number;
  readonly sessions: number;
}

export interface EvidenceSecured extends Summarised {
  readonly bucket: string;
  /** The document with the chain of custody, its hash, and the key that signed it. */
  readonly custodyKey: string;
  readonly custodySha256: string;
  readonly signedBy: string;
  readonly files: number;
  readonly bytes: number;
  readonly objects: number;
  /** ISO 8601: nothing of it can be changed or deleted before. */
  readonly lockedUntil: string;
}

export interface CustodyActivities {
  /** Writes down, under a lock, what the running server knows. Changes nothing on it, and holds nothing up. */
  captureState(input: { at: StepRef; damaged: DatabaseAt; evidence: Anchor }): Promise<StateCaptured>;
  /** Packs the quarantined cluster, hashes every file of it, and locks both with a signed chain of custody. */
  secureEvidence(input: {
    at: StepRef;
    damaged: DatabaseAt;
    quarantine: Quarantine;
    backup: Backup;
    captured: StateCaptured;
    evidence: Anchor;
  }): Promise<EvidenceSecured>;
}
