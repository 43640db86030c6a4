/** Codes of authenticators that have counted, so that none counts twice in different runs. */
export const sql = `
create table muster.used_codes (
  authenticator text not null check (authenticator ~ '^[0-9a-f]{32}$'),
  counter bigint not null check (counter >= 0),
  person text not null,
  system text not null,
  run_id text not null,
  opening text not null,
  statement_sha256 text not null check (statement_sha256 ~ '^[0-9a-f]{64}$'),
  used_at timestamptz not null default now(),
  primary key (authenticator, counter)
);
create trigger used_codes_stay before update or delete on muster.used_codes
  for each row execute function muster.refuse_change();
alter table muster.used_codes enable always trigger used_codes_stay;
`;
