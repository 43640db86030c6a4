/** Runs and their steps' times, the journal, what was lost, and the reports. */
export const sql = `
create table muster.runs (
  run_id text primary key,
  system text not null,
  scenario text not null,
  mode text not null check (mode in ('real', 'drill')),
  status text not null,
  plan_hash text not null,
  detected_at timestamptz not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  rto_target_ms bigint not null,
  rto_actual_ms bigint,
  view jsonb not null,
  kept_at timestamptz not null default now()
);
create index runs_of_system on muster.runs (system, started_at desc);

create table muster.step_times (
  run_id text not null references muster.runs on delete cascade,
  step text not null,
  position integer not null,
  status text not null,
  working_ms bigint not null check (working_ms >= 0),
  waiting_ms bigint not null check (waiting_ms >= 0),
  primary key (run_id, step)
);

create table muster.journal (
  seq bigint generated always as identity primary key,
  run_id text not null,
  body jsonb not null,
  index integer not null generated always as ((body ->> 'index')::integer) stored,
  at text not null generated always as (body ->> 'at') stored,
  kind text not null generated always as (body ->> 'kind') stored,
  previous_hash text not null check (previous_hash ~ '^[0-9a-f]{64}$'),
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  check (index >= 1),
  check (body ->> 'runId' = run_id),
  unique (run_id, index),
  unique (run_id, previous_hash)
);

create function muster.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'muster.% is append-only: % is refused', tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege';
end
$$;
create trigger journal_rows_stay before update or delete on muster.journal
  for each row execute function muster.refuse_change();
create trigger journal_stays before truncate on muster.journal
  for each statement execute function muster.refuse_change();
alter table muster.journal enable always trigger journal_rows_stay;
alter table muster.journal enable always trigger journal_stays;

create table muster.lost_records (
  run_id text not null,
  data_class text not null,
  id text not null,
  at timestamptz,
  body jsonb not null,
  primary key (run_id, data_class, id)
);

create table muster.reports (
  run_id text not null,
  written_at timestamptz not null,
  kind text not null check (kind in ('json', 'signature', 'html', 'html-signature', 'public-key')),
  content bytea not null,
  primary key (run_id, written_at, kind)
);
`;
