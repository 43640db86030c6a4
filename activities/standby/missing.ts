/** What users were told is done and the standby does not hold: what is lost by promoting it as it stands. */
import type { Client } from 'pg';
import { MusterError } from '../../src/errors.js';
import type { DataClass } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { RecoveryPoint } from '../contract.js';
import { type Acknowledged, readAcknowledged } from '../loss/acknowledged.js';

/** Clocks of the source and the database differ a little. */
const MARGIN_MS = 60_000;
const BATCH = 1_000;

export interface Missing {
  readonly loses: RecoveryPoint['loses'];
  readonly lossUnknown: readonly string[];
}

/** Looks every record up that was acknowledged since shortly before `time`. A source that is silent holds nothing up. */
export async function countMissing(
  client: Client,
  dataClasses: Readonly<Record<string, DataClass>>,
  time: string,
): Promise<Missing> {
  const loses: Record<string, RecoveryPoint['loses'][string]> = {};
  const lossUnknown: string[] = [];
  const since = new Date(Date.parse(time) - MARGIN_MS).toISOString();
  for (const [name, dataClass] of Object.entries(dataClasses)) {
    if (dataClass.acknowledged === undefined) continue;
    try {
      let records = 0;
      let newest = Date.parse(time);
      let batch: Acknowledged[] = [];
      const look = async () => {
        for (const record of await notIn(client, dataClass, batch)) {
          records += 1;
          newest = Math.max(newest, Date.parse(record.at));
        }
        batch = [];
      };
      for await (const record of readAcknowledged(dataClass.acknowledged, { since }, activitySignal())) {
        batch.push(record);
        if (batch.length === BATCH) await look();
      }
      await look();
      loses[name] = { records, windowMs: Math.max(0, Math.round(newest - Date.parse(time))) };
    } catch (error) {
      if (!(error instanceof MusterError)) throw error;
      lossUnknown.push(name);
    }
  }
  return { loses, lossUnknown };
}

async function notIn(
  client: Client,
  { key, table }: DataClass,
  batch: readonly Acknowledged[],
): Promise<readonly Acknowledged[]> {
  if (batch.length === 0) return [];
  // Names are plain identifiers by the runbook's schema.
  const { rows } = await client.query<{ key: string }>(
    `select ${key}::text as key from ${table} where ${key} = any($1)`,
    [batch.map(({ id }) => id)],
  );
  const present = new Set(rows.map((row) => row.key));
  return batch.filter(({ id }) => !present.has(id));
}
