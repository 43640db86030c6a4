/** Taking over a run whose Temporal server is gone, from its journal. */
import { adoptionsOf, recordAdoption, withVault } from '../../activities/vault/index.js';
import { adoptableRun } from '../adopt/from-journal.js';
import { type WholeJournal, wholeJournal } from '../adopt/whole-journal.js';
import { MusterError, PermanentError, RefusedError, TransientError } from '../errors.js';
import { musterHome, spoolDirectory } from '../home.js';
import { createLog } from '../log.js';
import type { AdoptableRun, Adoption } from '../model/adoption.js';
import type { PlanDocument } from '../model/plan.js';
import type { RunInput, ScenarioParams } from '../model/run.js';
import type { Anchor, Runbook } from '../runbook/schema.js';
import { BEFORE_THE_FIRST, type ChainedEntry } from '../store/chain.js';
import { readJournal } from '../store/journal.js';
import { Recorder } from '../store/recorder.js';
import { storeSettings } from '../store/settings.js';
import { adoptionOf } from '../store/standing.js';
import { RECORDING, Store } from '../store/store.js';
import type { TemporalSession } from '../temporal/connection.js';
import { type RunHandle, refuseSecondRun, startRun } from '../temporal/runs.js';
import { uiLink } from '../temporal/target.js';
import { requireWorker } from '../temporal/workers.js';
import { type AnchoredRun, readAnchoredRun } from './anchoring.js';
import { confirmByTyping } from './confirm.js';
import type { CliContext } from './context.js';
import { recordEnvironment, withStore } from './record.js';
import { renderAdoption } from './render/adopt.js';
import { parsePerson, withTemporal } from './sessions.js';
import { watchRun } from './watching.js';

export interface AdoptOptions {
  readonly by?: string;
  readonly fromAnchor?: boolean;
  readonly key?: string;
  readonly watch?: boolean;
  readonly yes?: boolean;
}

type Adoptable = AdoptableRun<Runbook, ScenarioParams>;

/**
 * Takes a run over: reads and verifies its journal, shows what stands, and goes on with it on the Temporal server that is
 * configured here.
 *
 * @param name the id of the run, or the system: its newest run
 * @throws InputError, RefusedError or PermanentError for everything that keeps it from being taken over; nothing has started
 */
export async function adopt(context: CliContext, name: string, options: AdoptOptions): Promise<void> {
  const by = parsePerson(context, options.by);
  const progress: Progress = { taken: false };
  try {
    await takeOver(context, name, { ...options, by }, progress);
  } catch (error) {
    throw progress.taken ? error : nothingStarted(error);
  }
}

/** Whether the lost server is refused already: from then on it is no longer as if nothing had been done. */
interface Progress {
  taken: boolean;
}

async function takeOver(
  context: CliContext,
  name: string,
  options: AdoptOptions & { readonly by: string },
  progress: Progress,
): Promise<void> {
  const { by } = options;
  await withRecorder(context, async (recorder) => {
    // What a worker on this machine could not send belongs to the journal too.
    await recorder.replayAnchors();
    const anchored = await readAnchoredRun(context, name, options.key);
    const stored = options.fromAnchor === true ? undefined : await storedOf(context, anchored.runId);
    const journal = wholeJournal(
      anchored.journal,
      stored,
      options.key === undefined ? 'by their own key' : 'by a trusted key',
    );
    const run = adoptableRun<Runbook, ScenarioParams>(journal.entries);
    const document = await requireSamePlan(run);
    await withTemporal(context, async (session) => {
      await refuseSecondRun(session, run.system, run.input.mode);
      await requireWorker(session);
      const number = await nextNumber(run, journal.entries);
      show(context, session, { anchored, run, document, by, number });
      if (options.yes !== true) {
        await confirmByTyping(context, `Type ${run.system} to take the run over:`, run.system);
      }
      await complete(recorder, anchored.anchor, journal);
      const handle = await begin(session, run, document, { by, number, ...run.adoption }, progress);
      await report(context, session, handle, number, options.watch ?? context.out.interactive);
    });
  });
}

async function storedOf(context: CliContext, runId: string): Promise<readonly ChainedEntry[]> {
  try {
    return await withStore(context, (store) => readJournal(store, runId));
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    throw new RefusedError('StoreSilent', `The store cannot be read: ${error.message}`, {
      why: 'It may hold entries that were not anchored yet.',
      next: 'If it is lost, go on from what is anchored alone: the same command with --from-anchor.',
      cause: error,
    });
  }
}

const UNREACHABLE =
  'Restore the way to it (network, keys, the section anchor of the runbook) and give the command again: nothing else proves what the run has done.';

/** Whatever kept the run from being taken over, in words for whoever asked for it. */
function nothingStarted(error: unknown): unknown {
  if (!(error instanceof PermanentError || error instanceof TransientError)) return error;
  return new RefusedError(error.code, `${error.message} Nothing has been started.`, {
    next: error.code.startsWith('Anchor') ? UNREACHABLE : error.next,
    ...(error.why === undefined ? {} : { why: error.why }),
    cause: error,
    details: error.details,
  });
}

/** Another plan would give steps another meaning. @throws RefusedError `PlanMismatch` */
async function requireSamePlan({ scenario, input }: Adoptable): Promise<PlanDocument> {
  const { scenarios } = await import('../../workflows/scenarios.js');
  const { planHash } = await import('../../workflows/engine/hash.js');
  const known = Object.entries(scenarios).find(([name]) => name === scenario)?.[1];
  const document = known?.buildPlan(input.runbook).document;
  if (document !== undefined && planHash(document) === input.planHash) return document;
  throw new RefusedError(
    'PlanMismatch',
    `This Muster builds another plan than the one that run ${input.runId} follows (${input.planHash.slice(0, 12)}).`,
    { next: 'Use the version of Muster that began the run, here and for its worker.' },
  );
}

async function nextNumber(run: Adoptable, entries: readonly ChainedEntry[]): Promise<number> {
  const { system, input } = run;
  const inVault = await withVault(input.runbook.vault, AbortSignal.timeout(30_000), (vault) =>
    adoptionsOf(vault, system, input.runId),
  );
  return Math.max(inVault, ...entries.map(({ body }) => adoptionOf(body))) + 1;
}

interface Shown {
  readonly anchored: AnchoredRun;
  readonly run: Adoptable;
  readonly document: PlanDocument;
  readonly by: string;
  readonly number: number;
}

function show(context: CliContext, session: TemporalSession, shown: Shown): void {
  const { anchored, run, document, by, number } = shown;
  const { width, colors } = context.out;
  const lines = renderAdoption(
    {
      run,
      document,
      by,
      number,
      source: anchored.title,
      signedBy: anchored.journal.signedBy,
      covered: anchored.journal.covered,
      temporal: session.target.address,
    },
    { width, color: colors.isColorSupported, now: Date.now() },
  );
  for (const line of [...lines, '']) context.out.line(line);
}

/** The bucket gets what only the store had, a store that was made anew what only the bucket had. */
async function complete(recorder: Recorder, anchor: Anchor, { entries, unanchored }: WholeJournal) {
  const [first] = entries;
  if (first === undefined) return;
  const bodies = (some: readonly ChainedEntry[]) => some.map(({ body }) => body);
  await recorder.append(first.body, bodies(entries));
  const [from] = unanchored;
  if (from === undefined) return;
  const after = entries.find(({ hash }) => hash === from.previousHash)?.hash ?? BEFORE_THE_FIRST;
  await recorder.append(from.body, bodies(unanchored), { anchor, after });
}

async function begin(
  session: TemporalSession,
  { input, system, scenario }: Adoptable,
  document: PlanDocument,
  taken: Omit<Adoption, 'at'>,
  progress: Progress,
): Promise<RunHandle> {
  const { runbook, runId, mode, detectedAt } = input;
  const { by, number } = taken;
  // From here on the lost server is refused, should it come back.
  await withVault(runbook.vault, AbortSignal.timeout(30_000), (vault) =>
    recordAdoption(vault, { system, runId, by, adoption: number }),
  );
  progress.taken = true;
  const adoption: Adoption = { ...taken, at: new Date().toISOString() };
  const adopted: RunInput<Runbook, ScenarioParams> = { ...input, adoption };
  const rtoDeadline = new Date(Date.parse(detectedAt) + document.rtoMs).toISOString();
  return startRun(session, {
    system,
    scenario,
    input: adopted,
    rtoDeadline,
    summary: `${runbook.title}: ${scenario}, ${mode}, taken over by ${by}`,
    details: [
      `**${document.title}**`,
      '',
      `- run \`${runId}\`, ${mode}, begun by ${input.requestedBy}, taken over by ${by} from its journal (${taken.entries} entries)`,
      `- detected ${detectedAt}; ${document.component} RTO until ${rtoDeadline}`,
      `- plan \`${input.planHash}\``,
      `- watch it with \`muster watch ${system}\``,
    ].join('\n'),
  });
}

async function report(
  context: CliContext,
  session: TemporalSession,
  run: RunHandle,
  number: number,
  watch: boolean,
): Promise<void> {
  const temporalUi = uiLink(session.target, run.workflowId, run.temporalRunId);
  context.out.line(`Goes on   ${run.runId}, adoption ${number}`);
  context.out.line(`Workflow  ${run.workflowId}, run ${run.temporalRunId}`);
  if (temporalUi !== undefined) context.out.line(`Temporal  ${temporalUi}`);
  const watched = watch ? await watchRun(context, session, run) : undefined;
  if (!watch) context.out.line(`Watch it  muster watch ${run.system}`);
  if (!context.out.json) return;
  const { runId, system, mode, workflowId, temporalRunId } = run;
  const ended = watched === undefined ? {} : { ended: watched.ended, run: watched.view ?? null };
  context.out.result(
    {
      runId,
      system,
      mode,
      adoption: number,
      workflowId,
      temporalRunId,
      temporalUi: temporalUi ?? null,
      ...ended,
    },
    () => '',
  );
}

async function withRecorder(context: CliContext, work: (recorder: Recorder) => Promise<void>): Promise<void> {
  const env = await recordEnvironment(context.world.env);
  const settings = storeSettings(env);
  const recorder = new Recorder({
    store: settings === undefined ? undefined : new Store(settings, RECORDING),
    spool: spoolDirectory(musterHome(env)),
    env,
    log: createLog('adopt'),
  });
  try {
    await work(recorder);
  } finally {
    await recorder.close();
  }
}
