/** Finished runs and the time of their steps: history for people, expectations for the next run. */
import { type Expectations, NOTHING_TO_DO, type RunView } from '../model/run.js';
import { storable } from './storable.js';
import type { Store } from './store.js';

/** How many past runs an expectation looks back: systems grow, and old times mislead. */
const LOOK_BACK = 50;

/** Keeps a run with the time of each step; kept again, the newer view wins. */
export async function saveRun(store: Store, view: RunView): Promise<void> {
  const { clock } = view;
  await store.transaction(async (client) => {
    await client.query(
      `insert into muster.runs as kept (run_id, system, scenario, mode, status, plan_hash, detected_at, started_at,
         ended_at, rto_target_ms, rto_actual_ms, view)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
       on conflict (run_id) do update set status = excluded.status, ended_at = excluded.ended_at,
         rto_actual_ms = excluded.rto_actual_ms, view = excluded.view, kept_at = now()
       where kept.view ->> 'asOf' <= excluded.view ->> 'asOf'`,
      [
        view.runId,
        view.system,
        view.scenario,
        view.mode,
        view.status,
        view.planHash,
        clock.detectedAt,
        clock.startedAt,
        view.endedAt ?? null,
        Math.round(clock.targetMs),
        clock.actualMs === undefined ? null : Math.round(clock.actualMs),
        JSON.stringify(storable(view)),
      ],
    );
    await client.query(
      `insert into muster.step_times (run_id, step, position, status, working_ms, waiting_ms)
       select $1, step, position, status, greatest(working_ms, 0), greatest(waiting_ms, 0)
         from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[])
              with ordinality as of_run(step, status, working_ms, waiting_ms, position)
       on conflict (run_id, step) do update set status = excluded.status, working_ms = excluded.working_ms,
         waiting_ms = excluded.waiting_ms`,
      [
        view.runId,
        view.steps.map((step) => step.name),
        view.steps.map((step) => (didNothing(step) ? 'idle' : step.status)),
        view.steps.map((step) => Math.round(step.workingMs)),
        view.steps.map((step) => Math.round(step.waitingMs)),
      ],
    );
  });
}

/** A step of a way that was not gone says nothing of how long it takes where it is. */
function didNothing({ status, summary = '' }: RunView['steps'][number]): boolean {
  return status === 'done' && summary.startsWith(NOTHING_TO_DO);
}

/**
 * Median and 90th percentile of the working time of each step in past runs of this scenario and system, in
 * milliseconds; of gates the time that people took. Only steps that were done count. A run starts with these, and without
 * them where the store does not answer.
 */
export async function expectationsFor(store: Store, system: string, scenario: string): Promise<Expectations> {
  const rows = await store.query<{ step: string; median: number; p90: number; runs: number }>(
    `with past as (
       select run_id from muster.runs where system = $1 and scenario = $2 and ended_at is not null
        order by started_at desc limit ${LOOK_BACK})
     select step, count(*)::integer as runs,
            percentile_cont(0.5) within group (order by coalesce(nullif(working_ms, 0), waiting_ms)) as median,
            percentile_cont(0.9) within group (order by coalesce(nullif(working_ms, 0), waiting_ms)) as p90
       from muster.step_times join past using (run_id)
      where status = 'done' group by step`,
    [system, scenario],
  );
  return Object.fromEntries(
    rows.map((row) => [
      row.step,
      { medianMs: Math.round(row.median), p90Ms: Math.round(row.p90), runs: row.runs },
    ]),
  );
}

/** Past runs, newest first. */
export async function pastRuns(
  store: Store,
  filter: { readonly system?: string; readonly scenario?: string; readonly limit: number },
): Promise<RunView[]> {
  const rows = await store.query<{ view: RunView }>(
    `select view from muster.runs
      where ($1::text is null or system = $1) and ($2::text is null or scenario = $2)
      order by started_at desc limit $3`,
    [filter.system ?? null, filter.scenario ?? null, filter.limit],
  );
  return rows.map((row) => row.view);
}

/** The run of this identifier; else the newest run of the system of this name; `latest`: the newest of all. */
export async function findRun(store: Store, name: string): Promise<RunView | undefined> {
  const rows = await store.query<{ view: RunView }>(
    `select view from muster.runs where run_id = $1 or system = $1 or $1 = 'latest'
      order by (run_id = $1) desc, started_at desc limit 1`,
    [name],
  );
  return rows[0]?.view;
}
