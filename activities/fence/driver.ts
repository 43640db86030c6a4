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
  /** How often a server that does not answer is asked, a positive integer. */
  readonly attempts: number;
  /** Throws when the token is not the newest any more; asked once the driver's own connection stands. */
  readonly requireInCharge: () => Promise<unknown>;
}

/** What a driver gives: never less than a proof. */
export type Fenced = Omit<FenceProof, 'token' | 'summary' | 'without' | 'refusedWrite'> & {
  readonly refusedWrite: NonNullable<FenceProof['refusedWrite']>;
};

/**
 * A way to make a primary refuse writes. Both acts may be done twice and after a crash between any two statements, and
 * whichever begins later ends what an earlier attempt still has under way: one that was frozen must not go on when it wakes.
 */
export interface FenceDriver {
  /** @throws PermanentError `FenceNotProven`, `PrimaryUnreachable` */
  fence(order: FenceOrder): Promise<Fenced>;
  /** Exactly undoes what `fence` of the same run did; false: there was nothing to undo. */
  lift(order: Pick<FenceOrder, 'runId' | 'damaged' | 'signal'>): Promise<boolean>;
}
