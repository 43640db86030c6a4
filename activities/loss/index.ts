/** What a recovery cost: measured on the recovered data, record by record, never taken from a backup's label. */
import type { Client } from 'pg';
import { formatCount, formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { DataClass } from '../../src/runbook/schema.js';
import { activitySignal, reportProgress } from '../context.js';
import type { DatabaseAt, FenceProof, LossReport, MusterActivities, ReplacedPrimary } from '../contract.js';
import { type Acknowledged, readAcknowledged } from './acknowledged.js';

/** Keeps lost records durably; returns how many there were. */
export type KeepLost = (
  runId: string,
  dataClass: string,
  records: AsyncIterable<{
    readonly id: string;
    readonly at: string;
    readonly body: Readonly<Record<string, unknown>>;
  }>,
) => Promise<number>;

type ClassLoss = LossReport['classes'][string];

const BATCH = 1_000;
const SAMPLE = 20;
/** Clocks of the source and the database differ a little: what was acknowledged shortly before the point is looked up too. */
const MARGIN_MS = 60_000;

export function lossActivities(deps: { readonly keepLost: KeepLost }): Pick<MusterActivities, 'measureLoss'> {
  return {
    async measureLoss({ at, target, point, fence, dataClasses, since }) {
      const shortlyBefore = Date.parse(point.time) - MARGIN_MS;
      const from = new Date(Math.max(shortlyBefore, since === undefined ? 0 : Date.parse(since)));
      const classes: Record<string, ClassLoss> = {};
      for (const [name, dataClass] of Object.entries(dataClasses)) {
        classes[name] =
          dataClass.acknowledged === undefined
            ? fromCensus(dataClass, point, fence.census[name])
            : await fromAcknowledged(deps.keepLost, {
                runId: at.runId,
                name,
                dataClass,
                target,
                point,
                from,
              });
      }
      return { classes, summary: summarise(classes) };
    },
  };
}

interface Measured {
  readonly runId: string;
  readonly name: string;
  readonly dataClass: DataClass;
  readonly target: DatabaseAt;
  readonly point: ReplacedPrimary;
  /** Records from then on are looked up. */
  readonly from: Date;
}

async function fromAcknowledged(
  keepLost: KeepLost,
  { runId, name, dataClass, target, point, from }: Measured,
): Promise<ClassLoss> {
  const { host, port, database, admin } = target.postgres;
  const sample: string[] = [];
  // A record may have been written a moment before the point and committed after it.
  let oldestLostMs = Date.parse(point.time);
  let newestLostMs = Number.NEGATIVE_INFINITY;
  const lostRecords = await withClient(
    { host, port, database, ...admin },
    { statementTimeoutMs: 60_000, applicationName: 'muster loss' },
    (client) =>
      keepLost(
        runId,
        name,
        noting(missing(client, name, dataClass, from), (record) => {
          if (sample.length < SAMPLE) sample.push(record.id);
          oldestLostMs = Math.min(oldestLostMs, Date.parse(record.at));
          newestLostMs = Math.max(newestLostMs, Date.parse(record.at));
        }),
      ),
  );
  return {
    targetMs: dataClass.rpo,
    actualMs: Math.max(0, newestLostMs - oldestLostMs),
    lostRecords,
    method: 'every acknowledged record looked up in the recovered database',
    sample,
  };
}

interface LostRecord {
  readonly id: string;
  readonly at: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Acknowledged records that the recovered database does not hold. */
async function* missing(
  client: Client,
  name: string,
  dataClass: DataClass,
  from: Date,
): AsyncGenerator<LostRecord> {
  const source = dataClass.acknowledged;
  if (source === undefined) return;
  const since = from.toISOString();
  let looked = 0;
  for await (const batch of batches(readAcknowledged(source, { since }, activitySignal()))) {
    const { rows } = await client.query<{ key: string }>(
      `select ${dataClass.key}::text as key from ${dataClass.table} where ${dataClass.key} = any($1)`,
      [batch.map((record) => record.id)],
    );
    const present = new Set(rows.map(({ key }) => key));
    for (const { id, at, ...body } of batch) {
      if (!present.has(id)) yield { id, at, body };
    }
    looked += batch.length;
    reportProgress({
      done: looked,
      unit: 'rows',
      text: `${name}: ${formatCount(looked)} acknowledged looked up`,
    });
  }
}

async function* batches(records: AsyncIterable<Acknowledged>): AsyncGenerator<readonly Acknowledged[]> {
  let batch: Acknowledged[] = [];
  for await (const record of records) {
    batch.push(record);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

async function* noting<T>(records: AsyncIterable<T>, note: (record: T) => void): AsyncGenerator<T> {
  for await (const record of records) {
    note(record);
    yield record;
  }
}

/** Where nothing outside the database remembers: what the fenced primary held from the point on. */
function fromCensus(
  dataClass: DataClass,
  point: ReplacedPrimary,
  counted: FenceProof['census'][string] | undefined,
): ClassLoss {
  if (counted === undefined) {
    const method = 'not measured: the fenced primary could not be counted';
    return { targetMs: dataClass.rpo, actualMs: null, lostRecords: null, method, sample: [] };
  }
  return {
    targetMs: dataClass.rpo,
    actualMs: counted.newest === null ? 0 : Math.max(0, Date.parse(counted.newest) - Date.parse(point.time)),
    lostRecords: counted.records,
    method: 'rows of the fenced primary written at or after the point',
    sample: [],
  };
}

function summarise(classes: Readonly<Record<string, ClassLoss>>): string {
  return Object.entries(classes)
    .map(([name, { lostRecords, actualMs, targetMs, method }]) => {
      if (lostRecords === null || actualMs === null) return `${name}: ${method}`;
      if (lostRecords === 0) return `${name}: nothing lost`;
      const missed = actualMs > targetMs ? ', MISSED' : '';
      return `${name}: ${formatCount(lostRecords)} lost over ${formatDuration(actualMs)} (RPO ${formatDuration(targetMs)}${missed})`;
    })
    .join('; ');
}
