/** Beginning a recovery: everything that can be wrong is found before anything is started. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { InputError } from '../errors.js';
import type { Mode, RunInput, ScenarioParams } from '../model/run.js';
import { loadSystem } from '../runbook/load.js';
import type { Runbook } from '../runbook/schema.js';
import { encryption, PAYLOADS_IN_CLEAR } from '../temporal/codec-converter.js';
import type { TemporalSession } from '../temporal/connection.js';
import { newRunId } from '../temporal/names.js';
import { type RunHandle, type RunToStart, refuseSecondRun, startRun } from '../temporal/runs.js';
import { requireWorker } from '../temporal/workers.js';
import { goFirst, report } from './begun.js';
import { confirmByTyping } from './confirm.js';
import type { CliContext } from './context.js';
import { readExpectations } from './expectations.js';
import type { FilesOptions } from './files-params.js';
import { whereItIs } from './leaving.js';
import { parseMoment } from './moment.js';
import { type PlannedScenario, requirePlan } from './planning.js';
import { isHere, preflight, requireConfined } from './preflight.js';
import { paramsOf } from './recovery-params.js';
import { renderRecoveryHead } from './render/recover.js';
import { span } from './render/units.js';
import { parseMode, withTemporal } from './sessions.js';

export interface RecoverOptions extends FilesOptions {
  readonly tables?: string;
  readonly detectedAt?: string;
  readonly mode: string;
  readonly by?: string;
  readonly commander?: string;
  readonly watch?: boolean;
  readonly yes?: boolean;
  readonly preflight: boolean;
}

/** What is known before Temporal is asked. */
export interface Request {
  readonly planned: PlannedScenario;
  readonly runbook: Runbook;
  readonly mode: Mode;
  readonly params: ScenarioParams;
  /** ISO 8601. */
  readonly detectedAt: string;
  readonly requestedBy: string;
}

/**
 * Begins a recovery and, on a terminal, watches it.
 *
 * @throws InputError or RefusedError for everything that keeps it from being begun
 */
export async function recover(
  context: CliContext,
  scenario: string,
  system: string,
  options: RecoverOptions,
): Promise<void> {
  const request = await readRequest(context, scenario, system, options);
  await withTemporal(context, async (session) => {
    const { input, remarks } = await prepare(context, session, request, options);
    show(context, session, request, input, remarks);
    if (request.mode === 'real' && options.yes !== true) {
      await confirmByTyping(context, `Type ${system} to begin:`, system);
    }
    const run = await begin(session, request, input);
    const preEmpted = await goFirst(context, session, request, input);
    await report(context, session, request, {
      run,
      preEmpted,
      watch: options.watch ?? context.out.interactive,
    });
  });
}

/** @throws InputError for what keeps the recovery from being planned */
export async function readRequest(
  context: CliContext,
  scenario: string,
  system: string,
  options: RecoverOptions,
): Promise<Request> {
  const now = Date.now();
  const mode = parseMode(options.mode) ?? 'real';
  const detectedAt =
    options.detectedAt === undefined
      ? new Date(now).toISOString()
      : parseMoment(options.detectedAt, '--detected-at', now);
  const loaded = await whereItIs(await loadSystem((await context.runbooks()).dir, system), scenario);
  const planned = await requirePlan(loaded, scenario);
  requireConfined(mode, planned.document);
  const params = paramsOf(loaded.runbook, planned.document.scenario, options, detectedAt, now);
  const requestedBy = options.by ?? context.world.env.MUSTER_BY ?? userInfo().username;
  return { planned, runbook: loaded.runbook, mode, params, detectedAt, requestedBy };
}

/** @throws InputError or RefusedError for everything that keeps it from being begun */
export async function prepare(
  context: CliContext,
  session: TemporalSession,
  { planned, runbook, mode, params, detectedAt, requestedBy }: Request,
  options: RecoverOptions,
): Promise<{ readonly input: RunInput<Runbook, ScenarioParams>; readonly remarks: readonly string[] }> {
  const { system, scenario } = planned.document;
  await refuseSecondRun(session, system, mode);
  const workers = await requireWorker(session);
  const subject = { runbook, plan: planned.document, params, workerIsHere: isHere(workers.identities) };
  const [found, past] = await Promise.all([
    options.preflight
      ? preflight(subject)
      : ['Nothing was looked at beforehand, as asked with --no-preflight.'],
    readExpectations(context.world.env, system, scenario),
  ]);
  const remarks = [
    ...found,
    ...(encryption(session.target.payloads) === 'off' ? [PAYLOADS_IN_CLEAR] : []),
    ...(workers.agoMs > 75_000
      ? [`The worker was last seen ${span(workers.agoMs)} ago: if nothing begins, look whether it runs.`]
      : []),
    ...(past.remark === undefined ? [] : [`No times of past runs: ${past.remark}`]),
  ];
  const input: RunInput<Runbook, ScenarioParams> = {
    runId: newRunId(system, scenario, new Date(), randomBytes(2).toString('hex')),
    mode,
    requestedBy,
    commander: commanderOf(runbook, requestedBy, options.commander),
    detectedAt,
    planHash: planned.hash,
    expectations: past.expectations,
    params,
    runbook,
  };
  return { input, remarks };
}

/** Who is named; else who begins the run, where the roster knows them; else the roster's incident commander. */
function commanderOf({ people, system }: Runbook, requestedBy: string, named?: string): string {
  const onRoster = (name: string | undefined) => people.find((person) => person.name === name)?.name;
  const commander =
    named === undefined
      ? (onRoster(requestedBy) ??
        people.find(({ roles }) => roles.includes('incident-commander'))?.name ??
        people[0]?.name)
      : onRoster(named);
  if (commander !== undefined) return commander;
  throw new InputError(`Nobody of that name can command a recovery of ${system}.`, [
    {
      field: '--commander',
      given: named ?? 'nobody',
      allowed: `a name of the roster: ${people.map(({ name }) => name).join(', ')}`,
    },
  ]);
}

function show(
  context: CliContext,
  session: TemporalSession,
  { planned, mode, params, detectedAt, requestedBy }: Request,
  input: RunInput<Runbook, ScenarioParams>,
  remarks: readonly string[],
): void {
  const { width, colors } = context.out;
  const lines = renderRecoveryHead(
    {
      plan: planned.document,
      hash: planned.hash,
      mode,
      ...(params.before === undefined ? {} : { before: params.before }),
      detectedAt,
      requestedBy,
      temporal: session.target.address,
      path: planned.verdict.path.steps,
      budgetMs: planned.verdict.path.totalMs,
      expectations: input.expectations,
      remarks,
    },
    { width, color: colors.isColorSupported, now: Date.now() },
  );
  for (const line of [...lines, '']) context.out.line(line);
}

function begin(
  session: TemporalSession,
  request: Request,
  input: RunInput<Runbook, ScenarioParams>,
): Promise<RunHandle> {
  const { system, scenario } = request.planned.document;
  return startRun(session, { system, scenario, input, ...describeRun(request, input) });
}

/** What Temporal shows of a run. */
export function describeRun(
  { planned, mode, detectedAt, requestedBy, params, runbook }: Request,
  input: RunInput<Runbook, ScenarioParams>,
): Pick<RunToStart<Runbook, ScenarioParams>, 'rtoDeadline' | 'summary' | 'details'> {
  const { document } = planned;
  const rtoDeadline = new Date(Date.parse(detectedAt) + document.rtoMs).toISOString();
  return {
    rtoDeadline,
    summary: `${runbook.title}: ${document.scenario}, ${mode}${params.before === undefined ? '' : `, back to before ${params.before}`}`,
    details: [
      `**${document.title}**`,
      '',
      `- run \`${input.runId}\`, ${mode}, begun by ${requestedBy}`,
      `- detected ${detectedAt}; ${document.component} RTO until ${rtoDeadline}`,
      ...(params.before === undefined ? [] : [`- back to before ${params.before}`]),
      `- plan \`${planned.hash}\``,
      `- watch it with \`muster watch ${document.system}\``,
    ].join('\n'),
  };
}
