/** Reports in the store: a second place from which a run's evidence can be had, byte for byte. */
import type { Store } from './store.js';

export const REPORT_FILES = {
  json: 'report.json',
  signature: 'report.json.sig',
  html: 'report.html',
  'html-signature': 'report.html.sig',
  'public-key': 'report.pub.pem',
} as const;

export type ReportKind = keyof typeof REPORT_FILES;
export type ReportContent = Readonly<Record<ReportKind, Buffer>>;

export const reportKinds = Object.keys(REPORT_FILES) as ReportKind[];

/** Keeps one report. The same report kept again changes nothing; a later one of the run stands beside it. */
export async function saveReport(
  store: Store,
  runId: string,
  writtenAt: string,
  content: ReportContent,
): Promise<void> {
  await store.query(
    `insert into muster.reports (run_id, written_at, kind, content)
     select $1, $2::timestamptz, kind, content from unnest($3::text[], $4::bytea[]) as file(kind, content)
     on conflict do nothing`,
    [runId, writtenAt, reportKinds, reportKinds.map((kind) => content[kind])],
  );
}

/** The newest report of a run; undefined where there is none. */
export async function loadReport(store: Store, runId: string): Promise<ReportContent | undefined> {
  const rows = await store.query<{ kind: ReportKind; content: Buffer }>(
    `select kind, content from muster.reports where run_id = $1
        and written_at = (select max(written_at) from muster.reports where run_id = $1)`,
    [runId],
  );
  if (rows.length < reportKinds.length) return undefined;
  return Object.fromEntries(rows.map((row) => [row.kind, row.content])) as Record<ReportKind, Buffer>;
}
