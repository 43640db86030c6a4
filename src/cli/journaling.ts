/** Shows and checks the journal of a run. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError, messageOf } from '../errors.js';
import { verifyReport } from '../evidence/verify.js';
import { musterHome, spoolDirectory } from '../home.js';
import type { AnchoredJournal } from '../store/anchor-journal.js';
import { verifyAnchored, verifyBoth, type WaitingHere } from '../store/anchor-verify.js';
import type { AnchorItem } from '../store/anchors.js';
import type { ChainedEntry, JournalHead } from '../store/chain.js';
import type { Item } from '../store/deliver.js';
import { findJournal, readJournal } from '../store/journal.js';
import { anchorSpool } from '../store/recorder.js';
import { REPORT_FILES } from '../store/reports.js';
import { Spool } from '../store/spool.js';
import { placeOf, standingOf } from '../store/standing.js';
import { type JournalVerdict, verifyJournal } from '../store/verify-journal.js';
import { anchorOf, readAnchoredRun, readAnchorsOf } from './anchoring.js';
import { type CliContext, exitCodes } from './context.js';
import { parseReport, recordEnvironment, reportFolder, withStore } from './record.js';
import { renderEntries, renderJournalVerdict } from './render/journal.js';

export interface ShowOptions {
  readonly facts?: boolean;
  /** From the bucket, without the store. */
  readonly anchorOnly?: boolean;
}

export async function showJournal(context: CliContext, name: string, options: ShowOptions): Promise<void> {
  const { runId, entries } =
    options.anchorOnly === true ? await anchoredOf(context, name) : await storedOf(context, name);
  const { standing } = standingOf(entries);
  const { out } = context;
  // In a pipe nothing is cut: whoever reads it there wants all of it.
  const width = out.interactive ? out.width : Number.POSITIVE_INFINITY;
  out.result(
    { runId, entries: standing.map(({ body, previousHash, hash }) => ({ ...body, previousHash, hash })) },
    (colors) => renderEntries(standing, options.facts === true, colors, width),
  );
}

async function anchoredOf(context: CliContext, name: string) {
  const { runId, journal } = await readAnchoredRun(context, name, undefined);
  return { runId, entries: journal.entries };
}

export interface VerifyOptions {
  readonly report?: string;
  readonly key?: string;
  readonly anchorOnly?: boolean;
  readonly storeOnly?: boolean;
}

/** What is said of a journal, beside what its chain says. */
interface Remarks {
  readonly problems: readonly string[];
  /** What the verdict rests on and does not prove. */
  readonly cautions: readonly string[];
}

/** Checks a journal: in the store, against its anchors and the signed report; or in the anchors alone. */
export async function checkJournal(context: CliContext, name: string, options: VerifyOptions): Promise<void> {
  if (options.anchorOnly === true) return checkAnchored(context, name, options.key);
  const { runId, entries } = await storedOf(context, name);
  const end = await signedEnd(context, runId, options);
  const alone = verifyJournal(entries, end.head);
  const found =
    options.storeOnly === true
      ? { problems: [], cautions: ['Not held against the anchors, as asked with --store-only.'] }
      : await anchorsOf(context, runId, entries, options.key);
  const anchors = 'journal' in found ? found.journal : undefined;
  const waiting = await waitingHere(context, runId);
  const verdict = anchors === undefined ? alone : verifyBoth(alone, entries, anchors.entries, waiting.places);
  say(context, runId, verdict, {
    problems: [...end.problems, ...found.problems],
    cautions: [...end.cautions, ...found.cautions, ...overtakenIn(entries), ...waiting.remarks],
  });
}

async function checkAnchored(context: CliContext, name: string, key: string | undefined): Promise<void> {
  const { runId, journal } = await readAnchoredRun(context, name, key);
  const waiting = await waitingHere(context, runId);
  say(context, runId, verifyAnchored(journal.entries), {
    problems: journal.problems,
    cautions: [
      'Read from the anchors alone: the store was not asked.',
      ...keyCaution(journal, key),
      ...overtakenIn(journal.entries),
      ...waiting.remarks,
    ],
  });
}

function say(context: CliContext, runId: string, verdict: JournalVerdict, remarks: Remarks): void {
  const problems = [...verdict.findings.map(({ text }) => text), ...remarks.problems];
  const ok = verdict.intact && verdict.complete && remarks.problems.length === 0;
  const result = { ok, runId, ...verdict, problems, cautions: remarks.cautions };
  context.out.result(result, (colors) => renderJournalVerdict(result, colors, context.out.width));
  context.finishWith(ok ? exitCodes.done : exitCodes.failed);
}

async function storedOf(
  context: CliContext,
  name: string,
): Promise<{ readonly runId: string; readonly entries: readonly ChainedEntry[] }> {
  return withStore(context, async (store) => {
    const runId = await findJournal(store, name);
    if (runId === undefined) {
      throw new InputError('There is no such journal.', [
        {
          field: 'run',
          given: name,
          allowed:
            'the id of a run, a system, or "latest" (see muster history); --anchor-only looks in the anchors',
        },
      ]);
    }
    return { runId, entries: await readJournal(store, runId) };
  });
}

/** The anchors of a run that is in the store; why they could not be read where they could not. */
async function anchorsOf(
  context: CliContext,
  runId: string,
  entries: readonly ChainedEntry[],
  key: string | undefined,
): Promise<Remarks & { readonly journal?: AnchoredJournal }> {
  const none = 'entries cut off at the end or a chain written anew would not be noticed by them';
  const anchor = await anchorOf(context, runId, entries[0]?.body).catch(() => undefined);
  if (anchor === undefined) {
    return { problems: [], cautions: [`No runbook here says where this run is anchored: ${none}.`] };
  }
  // What was recorded before there were anchors has none.
  const hasData = entries.some(({ body }) => body.data !== undefined);
  try {
    const journal = await readAnchorsOf(context, anchor, runId, key);
    if (journal.objects > 0) {
      return { journal, problems: journal.problems, cautions: keyCaution(journal, key) };
    }
    if (hasData) return { journal, problems: ['The bucket holds no anchor of this run.'], cautions: [] };
    return { problems: [], cautions: [`This run was not anchored: ${none}.`] };
  } catch (error) {
    const text = `Not held against the anchors: ${messageOf(error)}`;
    return hasData ? { problems: [text], cautions: [] } : { problems: [], cautions: [text] };
  }
}

function keyCaution({ signedBy }: AnchoredJournal, key: string | undefined): string[] {
  if (key !== undefined || signedBy.length === 0) return [];
  return [
    `The anchors were checked with the key that they name themselves: compare the fingerprint ${signedBy.join(' and ')} with one you have from elsewhere, or give that key with --key.`,
  ];
}

function overtakenIn(entries: readonly ChainedEntry[]): string[] {
  const { overtaken } = standingOf(entries);
  if (overtaken.length === 0) return [];
  const indexes = overtaken.map(({ body }) => body.index).join(', ');
  return [
    `The run was taken over: entry ${indexes} of the lost server came later than that and does not count; it is kept.`,
  ];
}

interface SignedEnd extends Remarks {
  readonly head?: JournalHead;
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
      cautions: ['No signed report of this run is here: the end that it names was not looked at (--report).'],
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

async function waitingHere(
  context: CliContext,
  runId: string,
): Promise<{ readonly places: WaitingHere; readonly remarks: string[] }> {
  const folder = spoolDirectory(musterHome(await recordEnvironment(context.world.env)));
  const forStore = await new Spool<Item>(folder).peek(runId).catch(() => []);
  const forAnchors = await new Spool<AnchorItem>(anchorSpool(folder)).peek(runId).catch(() => []);
  return {
    places: {
      forStore: new Set(forStore.flatMap((item) => ('journal' in item ? [placeOf(item.journal)] : []))),
      forAnchors: new Set(forAnchors.map(({ entry }) => placeOf(entry.body))),
    },
    remarks: [
      ...(forStore.length === 0
        ? []
        : [`Entries of this run wait in ${folder}: a worker there sends them when the store answers.`]),
      ...(forAnchors.length === 0
        ? []
        : [
            `Entries of this run wait in ${anchorSpool(folder)}: a worker there anchors them when the bucket answers.`,
          ]),
    ],
  };
}
