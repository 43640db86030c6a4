/** Finds a report, in the store or on this machine, shows what it says first, and hands its files on. */
import { join, resolve } from 'node:path';
import { InputError, messageOf, PermanentError } from '../errors.js';
import type { ReportDocument } from '../evidence/document.js';
import { writeReportFiles } from '../evidence/write.js';
import { loadReport, REPORT_FILES, type ReportContent } from '../store/reports.js';
import { findRun } from '../store/runs.js';
import type { CliContext } from './context.js';
import { parseReport, reportFolder, reportOnDisk, withStore } from './record.js';
import { renderReport } from './render/evidence.js';

interface Found {
  readonly report: ReportDocument;
  /** Where its files lie on this machine. */
  readonly folder?: string;
  readonly content?: ReportContent;
}

/**
 * @param name the id of a run, a system, or `latest`
 * @param out folder to write the files into
 * @throws PermanentError `ReportMissing`; InputError when neither store nor machine knows the name
 */
export async function showReport(context: CliContext, name: string, out: string | undefined): Promise<void> {
  const found = await findReport(context, name);
  const folder = out === undefined ? found.folder : await handOn(found, resolve(context.world.cwd, out));
  const { report } = found;
  const files =
    folder === undefined
      ? undefined
      : {
          html: join(folder, REPORT_FILES.html),
          json: join(folder, REPORT_FILES.json),
          signature: join(folder, REPORT_FILES.signature),
          publicKey: join(folder, REPORT_FILES['public-key']),
        };
  const { id, system, scenario, mode, status, clock, rto, rpo, writtenAt, signing } = report;
  const lost = report.lost.map(({ dataClass, records }) => ({ dataClass, records }));
  context.out.result(
    { id, system, scenario, mode, status, writtenAt, clock, rto, rpo, lost, signing, files: files ?? null },
    (colors) => renderReport(report, files?.html, colors, context.out.width),
  );
}

async function findReport(context: CliContext, name: string): Promise<Found> {
  let silence: unknown;
  try {
    const kept = await withStore(context, async (store) => {
      const run = await findRun(store, name);
      const content = await loadReport(store, run?.runId ?? name);
      return { runId: run?.runId, content };
    });
    if (kept.content !== undefined) return await ofStore(context, kept.content);
    if (kept.runId !== undefined) {
      const folder = await reportFolder(context, kept.runId);
      if (folder === undefined) throw missing(kept.runId);
    }
  } catch (error) {
    if (error instanceof PermanentError && error.code === 'ReportMissing') throw error;
    silence = error;
  }
  const onDisk = await reportOnDisk(context, name);
  if (onDisk !== undefined) {
    if (silence !== undefined)
      context.out.note(`from this machine; the store was not asked: ${messageOf(silence)}`);
    return onDisk;
  }
  if (silence !== undefined) throw silence;
  throw new InputError('There is no such report.', [
    {
      field: 'run',
      given: name,
      allowed: 'the id of a run that has ended, a system, or "latest" (see muster history)',
    },
  ]);
}

async function ofStore(context: CliContext, content: ReportContent): Promise<Found> {
  const report = parseReport(content.json);
  if (report === undefined) {
    throw new PermanentError(
      'ReportUnreadable',
      'The report in the store is not one that this Muster can read.',
      {
        next: 'Take it out with --out from a newer Muster, or use the files on the machine of the worker.',
      },
    );
  }
  const folder = await reportFolder(context, report.id);
  return { report, content, ...(folder === undefined ? {} : { folder }) };
}

async function handOn(found: Found, to: string): Promise<string> {
  if (found.content !== undefined) {
    await writeReportFiles(to, found.content);
  } else {
    const { cp } = await import('node:fs/promises');
    await cp(found.folder ?? '', to, { recursive: true });
  }
  return to;
}

function missing(runId: string): PermanentError {
  return new PermanentError('ReportMissing', `Run ${runId} has no report yet.`, {
    next: 'It is written when the run ends: see muster status. If the run has ended, look for the step "report" in it.',
  });
}
