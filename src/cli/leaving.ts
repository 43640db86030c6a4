import { MusterError } from '../errors.js';
import { leavable, leavingFrom, siteOfValues } from '../runbook/leaving.js';
import type { LoadedRunbook } from '../runbook/load.js';

/**
 * Of the places that the way home may begin at, the one that the record leads to. What cannot be read changes nothing: the
 * run's first step asks record, vault and server again, and refuses to begin anywhere else.
 */
export async function whereItIs(loaded: LoadedRunbook, scenario: string): Promise<LoadedRunbook> {
  const { scenarios, dns } = loaded.runbook;
  const record = dns[scenarios.failback?.record ?? ''];
  if (scenario !== 'failback' || record === undefined || leavable(loaded.runbook).length < 2) return loaded;
  const { readRecord } = await import('../../activities/dns/index.js');
  try {
    const { values } = await readRecord(record);
    return leavingFrom(loaded, siteOfValues(record.values, values));
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    return loaded;
  }
}
