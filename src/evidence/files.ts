/** What a run leaves to people of files: rows without their file, files without a row, files that could not be brought back. */
import type {
  BucketSynced,
  FileFinding,
  FilesReconciled,
  ObjectsRestored,
} from '../../activities/contract.js';
import { formatCount } from '../model/format.js';
import type { Outputs } from './outputs.js';

/** How many of each a sentence names; the outputs in the report hold more. */
const NAMED = 20;

/** @returns findings in words, one for each kind of trouble */
export function filesTroubles(outputs: Outputs): readonly string[] {
  return Object.values(outputs).flatMap((output) => [
    ...(isReconciled(output) ? troublesOfRows(output) : []),
    ...(isRestored(output)
      ? troubles(output.failedCount, 'could not be brought back as they were', described(output.failed))
      : []),
    ...(isSynced(output)
      ? troubles(output.damagedCount, 'could not be copied as they were written', described(output.damaged))
      : []),
  ]);
}

function troublesOfRows({
  danglingCount,
  dangling,
  orphanedCount,
  orphaned,
  differingCount,
  differing,
}: FilesReconciled): readonly string[] {
  return [
    ...troubles(danglingCount, 'are named by a row and are not there', dangling),
    ...troubles(orphanedCount, 'are named by no row', orphaned),
    ...troubles(differingCount, 'are not what their row says', described(differing)),
  ];
}

function troubles(count: number, what: string, names: readonly string[]): readonly string[] {
  if (count === 0) return [];
  const shown = names.slice(0, NAMED);
  const more = count - shown.length;
  return [
    `${formatCount(count)} files ${what}: ${shown.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}.`,
  ];
}

function described(findings: readonly FileFinding[]): readonly string[] {
  return findings.map(({ key, why }) => `${key} (${why})`);
}

function isReconciled(value: unknown): value is FilesReconciled {
  return has(value, 'danglingCount') && has(value, 'orphanedCount') && has(value, 'differingCount');
}

function isRestored(value: unknown): value is ObjectsRestored {
  return has(value, 'restored') && has(value, 'failedCount');
}

function isSynced(value: unknown): value is BucketSynced {
  return has(value, 'copied') && has(value, 'damagedCount');
}

function has(value: unknown, field: string): boolean {
  return typeof (value as Readonly<Record<string, unknown>> | null)?.[field] === 'number';
}
