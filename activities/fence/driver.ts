import type { DataClass } from '../../src/runbook/schema.js';
import type { DatabaseAt, FenceProof } from '../contract.js';

/** Who fences what, with which authority. */
export interface FenceOrder {
  readonly runId: string;
  readonly damaged: DatabaseAt;
  /** The server that is meant: another one under the same address is left alone. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Fencing token, from the vault. */
  readonly token: number;
  /** Rows written at or after this moment are counted, ISO 8601. */
  readonly since: string;
  readonly dataClasses: Readonly<Record<string, DataClass>>;
  readonly signal: AbortSignal;
}

/** A way to make a primary refuse writes. Both acts may be done twice and after a crash between any two statements. */
export interface FenceDriver {
  /** @throws PermanentError `FenceNotProven`, `PrimaryUnreachable` */
  fence(order: FenceOrder): Promise<Omit<FenceProof, 'token' | 'summary'>>;
  /** Exactly undoes what `fence` of the same run did; false: there was nothing to undo. */
  lift(order: { readonly runId: string; readonly damaged: DatabaseAt }): Promise<boolean>;
}
