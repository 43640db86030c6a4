/** A run that was taken over goes on behind what was anchored: what the lost server still sends has a place of its own. */
export const sql = `
alter table muster.journal add column adoption integer not null
  generated always as (coalesce((body ->> 'adoption')::integer, 0)) stored check (adoption >= 0);
alter table muster.journal drop constraint journal_run_id_index_key;
alter table muster.journal add unique (run_id, adoption, index);
`;
