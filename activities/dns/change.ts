/** One compare-and-swap of a record: what was expected is replaced, anything else is left as it is. */
import { PermanentError, TransientError } from '../../src/errors.js';
import type { DnsRecord } from '../../src/runbook/schema.js';
import type { DnsDriver, RecordState } from './driver.js';
import { sameValues } from './resolvers.js';

export interface Change {
  readonly before: RecordState;
  readonly after: RecordState;
  /** Empty when the record was as wanted already. */
  readonly changeId: string;
}

/**
 * Changes the record; that all servers of the authority serve it by then is not waited for.
 *
 * @param expected values that the record must hold now
 * @param wanted what it shall hold; a record that holds it already was changed by an earlier attempt
 * @param allowed throws when the act must not happen; asked right before it, and also when it has happened already
 * @throws PermanentError `EmptyRecord`, `RecordChangedByOthers`, and what the driver throws
 */
export async function changeRecord(
  driver: DnsDriver,
  record: DnsRecord,
  expected: readonly string[],
  wanted: (now: RecordState) => RecordState,
  allowed: () => Promise<void> = async () => undefined,
): Promise<Change> {
  for (let tried = 0; tried < 3; tried++) {
    const before = await driver.read();
    const after = wanted(before);
    requireValues(record, after.values);
    await allowed();
    if (sameValues(before.values, after.values) && before.ttl === after.ttl) {
      return { before, after, changeId: '' };
    }
    if (!sameValues(before.values, expected)) throw changedByOthers(record, expected, before.values);
    const changeId = await driver.replace(before, after);
    if (changeId === undefined) continue;
    return { before, after, changeId };
  }
  throw new TransientError('RecordContended', `${record.name} keeps changing while Muster changes it.`, {
    next: 'See what else writes to the zone and stop it. The step tries again by itself.',
  });
}

/** An empty record set makes a service vanish. @throws PermanentError `EmptyRecord` */
export function requireValues(record: DnsRecord, values: readonly string[]): void {
  if (values.length > 0 && values.every((value) => value.trim() !== '')) return;
  throw new PermanentError('EmptyRecord', `${record.name} would be left without a value; that is refused.`, {
    next: 'Give the values in the runbook (dns.<record>.values), then retry the step.',
  });
}

function changedByOthers(
  record: DnsRecord,
  expected: readonly string[],
  found: readonly string[],
): PermanentError {
  return new PermanentError(
    'RecordChangedByOthers',
    `${record.name} holds ${found.join(', ')}; expected was ${expected.join(', ')}. It was left as it is.`,
    {
      why: 'Somebody or something else changed it, or the runbook is out of date.',
      next: 'Find out who, and which value is right. Set the expected value and retry the step, or change the record by hand.',
    },
  );
}
