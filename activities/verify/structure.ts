import { PermanentError, TransientError } from '../../src/errors.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import type { DatabaseAt, MusterActivities, RungResult } from '../contract.js';
import { adminOf } from '../service/index.js';
import { check, headingOf, passed, verificationFailed } from './check.js';
import { runClientTool } from './client-tools.js';

type Input = Parameters<MusterActivities['verifyStructure']>[0];

const AMCHECK_MS = 12 * 3_600_000;

/**
 * Rung 5: tables and btree indexes are well formed and every row that should be in an index is. It proves damage, never its
 * absence, and knows tables, TOAST and btree only (manual: pg_amcheck). `--parent-check` and `--rootdescend` need locks
 * that a copy in recovery does not give.
 *
 * @throws PermanentError `VerificationFailed`, `AmcheckMissing`
 */
export async function verifyStructure(
  { target, jobs }: Input,
  update: (progress: Progress) => void,
): Promise<RungResult> {
  await requireAmcheck(target);
  const { heading } = await headingOf(target.postgres, 'pg_amcheck', {
    rung: 5,
    title: 'tables and indexes agree',
  });
  const checked = await check(heading, async () => {
    const found: string[] = [];
    let relations = 0;
    let pages = 0;
    let findings = 0;
    const outcome = await runClientTool(
      target,
      'pg_amcheck',
      ['--heapallindexed', `--jobs=${jobs}`, '--progress', '--no-strict-names', target.postgres.database],
      {
        timeoutMs: AMCHECK_MS,
        onLine: (line) => {
          if (!/^\s/.test(line) && line.trim() !== '') findings += 1;
          if (found.length < 12 && line.trim() !== '') found.push(line.trim());
        },
        onErrorLine: (line) => {
          const progress = parseAmcheckProgress(line);
          if (progress === undefined) return;
          relations = progress.relationsTotal;
          pages = progress.pagesTotal;
          update({
            done: progress.pages * 8192,
            total: progress.pagesTotal * 8192,
            unit: 'bytes',
            text: `checking tables and indexes, ${progress.relations} of ${progress.relationsTotal}`,
          });
        },
      },
    );
    if (outcome.exitCode === 0 && relations > 0) {
      return `${formatCount(relations)} tables and indexes (${formatBytes(pages * 8192)}) without a finding`;
    }
    if (outcome.exitCode === 2 || findings > 0) {
      throw verificationFailed(
        heading,
        `${findings} findings: ${found.slice(0, 6).join(' ')}`,
        'Restore again from another repository or an older backup set. Where only an index is named, its table is sound and REINDEX after the promotion would repair it.',
        { findings },
      );
    }
    throw new TransientError('AmcheckFailed', `pg_amcheck did not finish: ${lastLine(outcome.stderr)}`, {
      next: `See whether the copy at ${target.site} runs; the step tries again by itself for a while.`,
    });
  });
  return passed([checked]);
}

export interface AmcheckProgress {
  readonly relations: number;
  readonly relationsTotal: number;
  readonly pages: number;
  readonly pagesTotal: number;
}

/** Reads `  12/345 relations (3%),   678/9012 pages (7%)`. */
export function parseAmcheckProgress(line: string): AmcheckProgress | undefined {
  const match = /(\d+)\/(\d+) relations \( *\d+%\), +(\d+)\/(\d+) pages/.exec(line.split('\r').at(-1) ?? '');
  if (match === null) return undefined;
  const [, relations, relationsTotal, pages, pagesTotal] = match.map(Number);
  return {
    relations: relations ?? 0,
    relationsTotal: relationsTotal ?? 0,
    pages: pages ?? 0,
    pagesTotal: pagesTotal ?? 0,
  };
}

async function requireAmcheck(target: DatabaseAt): Promise<void> {
  const there = await withClient(
    adminOf(target.postgres),
    { statementTimeoutMs: 10_000, applicationName: 'muster-verify' },
    async (client) =>
      (await client.query("select from pg_extension where extname = 'amcheck'")).rowCount === 1,
  );
  if (there) return;
  throw new PermanentError(
    'AmcheckMissing',
    `Rung 5, tables and indexes agree: database ${target.postgres.database} has no extension amcheck.`,
    {
      why: 'The copy is read-only, so the extension can only come from the original.',
      next: 'Choose a point after "create extension amcheck" was run on the original. For the next time: run it there now.',
    },
  );
}

function lastLine(text: string): string {
  return (
    text
      .split('\n')
      .filter((line) => line.trim() !== '' && parseAmcheckProgress(line) === undefined)
      .at(-1) ?? 'it said nothing'
  );
}
