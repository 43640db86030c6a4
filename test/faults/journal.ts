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

/** The journal as it was acknowledged and as it is kept. */
export interface JournalFacts {
  /** What Temporal's history says the journal took. */
  readonly acknowledged: readonly Pick<Entry, 'index' | 'kind' | 'text'>[];
  /** What is in the store, in its order. */
  readonly rows: readonly JournalRow[];
  /** What `muster journal verify` says, which looks at the anchors too. */
  readonly verified: { readonly code: number; readonly said: string };
}

export async function lookAtJournal(stage: Stage): Promise<JournalFacts> {
  const [acknowledged, rows] = await Promise.all([acknowledgedEntries(stage), storedRows(stage)]);
  const { code, stdout, stderr } = await stage.incident.muster('journal', 'verify', stage.runId);
  return { acknowledged, rows, verified: { code, said: `${stdout}${stderr}`.trim() } };
}

/**
 * @param gates where an approval was given and acknowledged
 * @returns entries that were acknowledged and are not in the store, and what is wrong with the chain there
 */
export function wrongInJournal(
  { acknowledged, rows, verified }: JournalFacts,
  gates: readonly string[],
): readonly string[] {
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
    const own = hashOf(previous, body);
    if (previous_hash !== previous || hash !== own)
      wrong.push(`the chain breaks at journal entry ${body.index}`);
    previous = hash;
  }
  if (rows.at(-1)?.body.kind !== 'run-ended') wrong.push(`the journal ends with ${rows.at(-1)?.body.kind}`);
  for (const gate of gates) {
    const there = rows.filter(({ body }) => body.kind === 'decision' && body.step === `gate-${gate}`).length;
    if (there !== 1) wrong.push(`the journal holds ${there} decisions at gate ${gate}`);
  }
  if (verified.code !== 0) wrong.push(`muster journal verify says: ${verified.said}`);
  return wrong;
}

/** As docs/evidence.md says that it is made. */
export function hashOf(previous: string, body: object): string {
  return createHash('sha256')
    .update(`${previous}\n${canonicalJson(body)}`)
    .digest('hex');
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

export interface JournalRow {
  readonly body: Pick<Entry, 'index' | 'kind' | 'text' | 'step'>;
  readonly previous_hash: string;
  readonly hash: string;
}

async function storedRows({ lab, runId }: Stage): Promise<readonly JournalRow[]> {
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
    const { rows } = await client.query<JournalRow>(
      'select body, previous_hash, hash from muster.journal where run_id = $1 order by seq',
      [runId],
    );
    return rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
