import type { DnsRecord } from '../../src/runbook/schema.js';

/** What a record holds; values in the form of the runbook. */
export interface RecordState {
  readonly values: readonly string[];
  /** Seconds. */
  readonly ttl: number;
}

/** A zone's authority, by whatever interface it is changed. */
export interface DnsDriver {
  /** @throws PermanentError `RecordMissing`, `RecordNotPlain`, `DnsDenied`; TransientError `DnsUnreachable` */
  read(): Promise<RecordState>;
  /**
   * Replaces exactly `before` by `after`, and nothing if the record holds something else by then.
   *
   * @returns identifies the change at the authority; undefined: the record did not hold `before`
   * @throws PermanentError `DnsDenied`; TransientError `DnsUnreachable`
   */
  replace(before: RecordState, after: RecordState): Promise<string | undefined>;
  /** Waits until all servers of the authority serve the change. */
  settled(changeId: string): Promise<void>;
  /**
   * Looks whether a change could be made now, and changes nothing.
   *
   * @throws what `read` and `replace` throw
   */
  ready(): Promise<{ readonly summary: string }>;
}

export type OpenDns<R extends DnsRecord = DnsRecord> = (
  record: R,
  signal: AbortSignal,
) => Promise<DnsDriver & { close(): void }>;
