/** When a row was last changed, where the server keeps commit timestamps (PostgreSQL manual: `track_commit_timestamp`). */

/** As all moments of Muster's, ISO 8601 UTC with microseconds. */
export const ISO = `'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'`;

/** SQL that gives the commit time of a row's present version; null where none is kept, for instance of what is old. */
export function commitTimeOf(alias: string): string {
  return `case when current_setting('track_commit_timestamp')::boolean
            then to_char(pg_xact_commit_timestamp(${alias}.xmin) at time zone 'UTC', ${ISO}) end`;
}
