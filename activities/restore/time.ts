/** `2026-11-21T02:59:39.871234Z` as PostgreSQL and pgBackRest take it: `2026-11-21 02:59:39.871234+00`. */
export function postgresTime(iso: string): string {
  return iso.replace('T', ' ').replace(/Z$/, '+00');
}
