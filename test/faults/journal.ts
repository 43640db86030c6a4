/** Holds the journal in the store against what Temporal's history says was acknowledged. */
import { createHash } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import pg from 'pg';
import type { MusterActivities } from '../../activities/contract.js';
import { canonicalJson } from '../../src/model/canonical-json.js';
import { WORKFLOW } from '../support/incident.js';
import { secretOf } from '../support/lab.js';
import type { Stage } from './stage.js';

type Entry = Parameters<MusterActivities['appendJournal']>[0]['entries'][number];

/** @returns entries that were acknowledged and are not in the store, and what is wrong with the chain there */
export async function wrongInJournal(stage: Stage): Promise<readonly string[]> {
  const [acknowledged, rows] = await Promise.all([acknowledgedEntries(stage), storedRows(stage)]);
  const wrong: string[] = [];
  if (acknowledged.length === 0) wrong.push('the history acknowledges no journal entry');
  const byIndex = new Map(rows.map((row) => [row.body.index, row.body]));
  for (const { index, kind, text } of acknowledged) {
    const kept = byIndex.get(index);
    if (kept === undefined)
      wrong.push(`journal entry ${index} (${kind}) was acknowledged and is not in the store`);
    else if (kept.kind !== kind || kept.text !== text)
      wrong.push(`journal entry ${index} says something else`);
  }
  let previous = '0'.repeat(64);
  for (const { body, previous_hash, hash } of rows) {
    const own = createHash('sha256')
      .update(`${previous}\n${canonicalJson(body)}`)
      .digest('hex');
    if (previous_hash !== previous || hash !== own)
      wrong.push(`the chain breaks at journal entry ${body.index}`);
    previous = hash;
  }
  if (rows.at(-1)?.body.kind !== 'run-ended') wrong.push(`the journal ends with ${rows.at(-1)?.body.kind}`);
  for (const { gate } of stage.approvals) {
    const there = rows.filter(({ body }) => body.kind === 'decision' && body.step === `gate-${gate}`).length;
    if (there !== 1) wrong.push(`the journal holds ${there} decisions at gate ${gate}`);
  }
  return wrong;
}

/** Entries of every `appendJournal` that Temporal knows to be done. */
async function acknowledgedEntries({ incident }: Stage): Promise<readonly Entry[]> {
  const { client } = incident;
  const { events } = await client.workflow.getHandle(WORKFLOW).fetchHistory();
  const done = new Set(
    events?.map((event) => event.activityTaskCompletedEventAttributes?.scheduledEventId?.toString()),
  );
  const calls = (events ?? []).flatMap((event) => {
    const scheduled = event.activityTaskScheduledEventAttributes;
    return scheduled?.activityType?.name === 'appendJournal' && done.has(event.eventId?.toString())
      ? [scheduled.input?.payloads]
      : [];
  });
  const { payloadCodecs, payloadConverter } = client.options.loadedDataConverter;
  const inputs = await Promise.all(
    calls.map(async (payloads) => {
      let decoded: Payload[] = payloads ?? [];
      for (const codec of [...payloadCodecs].reverse()) decoded = await codec.decode(decoded);
      return payloadConverter.fromPayload<{ entries: readonly Entry[] }>(decoded[0] as Payload);
    }),
  );
  return inputs.flatMap(({ entries }) => entries);
}

interface Row {
  readonly body: Entry;
  readonly previous_hash: string;
  readonly hash: string;
}

async function storedRows({ lab, runId }: Stage): Promise<readonly Row[]> {
  const { address, port, database, login } = lab.state.store;
  const client = new pg.Client({
    host: address,
    port,
    database,
    user: login.user,
    password: await secretOf(login.password),
    connectionTimeoutMillis: 5_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Row>(
      'select body, previous_hash, hash from muster.journal where run_id = $1 order by seq',
      [runId],
    );
    return rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
