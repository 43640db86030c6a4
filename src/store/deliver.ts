/** Puts what is to be kept into the store, in order. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log.js';
import type { RunView } from '../model/run.js';
import type { JournalBody } from './chain.js';
import { appendEntries } from './journal.js';
import { insertLost, type LostRecord } from './lost.js';
import { REPORT_FILES, type ReportContent, reportKinds, saveReport } from './reports.js';
import { saveRun } from './runs.js';
import type { Store } from './store.js';

/** One thing to be kept, as it stands in the spool. */
export type Item =
  | { readonly journal: JournalBody }
  | { readonly run: RunView }
  | { readonly lost: { readonly dataClass: string; readonly records: readonly LostRecord[] } }
  | { readonly report: { readonly writtenAt: string; readonly directory: string } };

/**
 * @param items of one run, in the order in which they came about; those that the store has already change nothing
 * @throws what the store throws; what stands before the item that failed is kept
 */
export async function deliver(
  store: Store,
  runId: string,
  items: readonly Item[],
  log: Logger,
): Promise<void> {
  for (const group of inGroups(items)) {
    if (Array.isArray(group)) {
      const { contradicted } = await appendEntries(store, group);
      if (contradicted.length > 0) {
        log.warn({ runId, contradicted }, 'entries came again with other content; the first ones stay');
      }
    } else if ('run' in group) {
      await saveRun(store, group.run);
    } else if ('lost' in group) {
      await insertLost(store, runId, group.lost.dataClass, group.lost.records);
    } else {
      const content = await readReportFiles(group.report.directory);
      if (content === undefined)
        log.error({ runId }, 'the files of a report are gone; it is not in the store');
      else await saveReport(store, runId, group.report.writtenAt, content);
    }
  }
}

/** Neighbouring journal entries are sent together. */
function inGroups(items: readonly Item[]): (JournalBody[] | Exclude<Item, { journal: JournalBody }>)[] {
  const groups: (JournalBody[] | Exclude<Item, { journal: JournalBody }>)[] = [];
  for (const item of items) {
    const last = groups.at(-1);
    if (!('journal' in item)) groups.push(item);
    else if (Array.isArray(last)) last.push(item.journal);
    else groups.push([item.journal]);
  }
  return groups;
}

async function readReportFiles(directory: string): Promise<ReportContent | undefined> {
  try {
    const contents = await Promise.all(
      reportKinds.map((kind) => readFile(join(directory, REPORT_FILES[kind]))),
    );
    return Object.fromEntries(
      reportKinds.map((kind, position) => [kind, contents[position]]),
    ) as ReportContent;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
