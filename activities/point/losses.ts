import { MusterError } from '../../src/errors.js';
import { formatCount, formatDuration } from '../../src/model/format.js';
import type { DataClass } from '../../src/runbook/schema.js';
import type { RecoveryPoint } from '../contract.js';
import { readAcknowledged } from '../loss/acknowledged.js';

export interface Losses {
  readonly loses: RecoveryPoint['loses'];
  /** Data classes whose outside record cannot be read now. */
  readonly unknown: readonly string[];
}

/**
 * Counts what users were told is done at or after the point. A record that cannot be read does not hold the proposal up.
 */
export async function countLosses(
  dataClasses: Readonly<Record<string, DataClass>>,
  moment: string,
  signal: AbortSignal,
): Promise<Losses> {
  const loses: Record<string, RecoveryPoint['loses'][string]> = {};
  const unknown: string[] = [];
  for (const [name, { acknowledged }] of Object.entries(dataClasses)) {
    if (acknowledged === undefined) continue;
    try {
      let records = 0;
      let newest = Date.parse(moment);
      for await (const record of readAcknowledged(acknowledged, { since: moment }, signal)) {
        records += 1;
        newest = Math.max(newest, Date.parse(record.at));
      }
      loses[name] = { records, windowMs: Math.round(newest - Date.parse(moment)) };
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      unknown.push(name);
    }
  }
  return { loses, unknown };
}

/** A sentence each: what going back loses, and what of it nobody can tell. */
export function lossesInWords({ loses, unknown }: Losses): string[] {
  return [
    ...Object.entries(loses).map(([name, { records, windowMs }]) =>
      records === 0
        ? `loses no acknowledged ${name}`
        : `loses ${formatCount(records)} acknowledged ${name} over ${formatDuration(windowMs)}`,
    ),
    ...unknown.map(
      (name) => `how many ${name} it loses cannot be told: their outside record does not answer`,
    ),
  ];
}
