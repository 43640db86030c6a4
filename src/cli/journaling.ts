/** Shows and checks the journal of a run. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { verifyReport } from '../evidence/verify.js';
import { musterHome, spoolDirectory } from '../home.js';
import type { ChainedEntry, JournalHead } from '../store/chain.js';
import { findJournal, readJournal } from '../store/journal.js';
import { REPORT_FILES } from '../store/reports.js';
import { Spool } from '../store/spool.js';
import { verifyJournal } from '../store/verify-journal.js';
import { type CliContext, exitCodes } from './context.js';
import { parseReport, recordEnvironment, reportFolder, withStore } from './record.js';
import { renderEntries, renderJournalVerdict } from './render/journal.js';

export async function showJournal(context: CliContext, name: string, facts: boolean): Promise<void> {
  const { runId, entries } = await journalOf(context, name);
  const { out } = context;
  // In a pipe nothing is cut: whoever reads it there wants all of it.
  const width = out.interactive ? out.width : Number.POSITIVE_INFINITY;
  out.result(
    { runId, entries: entries.map(({ body, previousHash, hash }) => ({ ...body, previousHash, hash })) },
    (colors) => renderEntries(entries, facts, colors, width),
  );
}

export async function checkJournal(
  context: CliContext,
  name: string,
  options: { readonly report?: string; readonly key?: string },
): Promise<void> {
  const { runId, entries } = await journalOf(context, name);
  const end = await signedEnd(context, runId, options);
  const verdict = verifyJournal(entries, end.head);
  const waiting = await waitingHere(context, runId);
  const problems = [...verdict.findings.map(({ text }) => text), ...end.problems];
  const ok = verdict.intact && verdict.complete && end.problems.length === 0;
  const result = { ok, runId, ...verdict, problems, cautions: [...end.cautions, ...waiting] };
  context.out.result(result, (colors) => renderJournalVerdict(result, colors, context.out.width));
  context.finishWith(ok ? exitCodes.done : exitCodes.failed);
}

async function journalOf(
  context: CliContext,
  name: string,
): Promise<{ readonly runId: string; readonly entries: readonly ChainedEntry[] }> {
  return withStore(context, async (store) => {
    const runId = await findJournal(store, name);
    if (runId === undefined) {
      throw new InputError('There is no such journal.', [
        { field: 'run', given: name, allowed: 'the id of a run, a system, or "latest" (see muster history)' },
      ]);
    }
    return { runId, entries: await readJournal(store, runId) };
  });
}

interface SignedEnd {
  readonly head?: JournalHead;
  readonly problems: readonly string[];
  readonly cautions: readonly string[];
}

/** The journal's end as the run's report names it. Only a report whose signature holds counts. */
async function signedEnd(
  context: CliContext,
  runId: string,
  options: { readonly report?: string; readonly key?: string },
): Promise<SignedEnd> {
  const { cwd } = context.world;
  const given = options.report === undefined ? undefined : resolve(cwd, options.report);
  const folder = given ?? (await reportFolder(context, runId));
  if (folder === undefined) {
    return {
      problems: [],
      cautions: [
        'No signed report of this run is here: entries cut off at the end would not be noticed (--report).',
      ],
    };
  }
  const json = join(folder, REPORT_FILES.json);
  const verdict = await verifyReport(json, options.key === undefined ? undefined : resolve(cwd, options.key));
  const report = parseReport(await readFile(json));
  if (!verdict.ok) {
    const said = [
      ...verdict.files.filter(({ intact }) => !intact).map(({ text }) => text),
      ...verdict.problems,
    ];
    return { problems: said.map((text) => `Report in ${folder}: ${text}`), cautions: [] };
  }
  if (report?.id !== runId) {
    return { problems: [`The report in ${folder} is of run ${report?.id}, not of ${runId}.`], cautions: [] };
  }
  if (report.journal === undefined) {
    return { problems: [], cautions: [`The report in ${folder} does not name the journal's end.`] };
  }
  return { head: report.journal, problems: [], cautions: verdict.cautions };
}

async function waitingHere(context: CliContext, runId: string): Promise<string[]> {
  const spool = new Spool(spoolDirectory(musterHome(await recordEnvironment(context.world.env))));
  if (await spool.isEmpty(runId).catch(() => true)) return [];
  return [
    `Entries of this run wait in ${spool.directory}: a worker there sends them when the store answers.`,
  ];
}
