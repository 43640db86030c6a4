/** `muster recover <scenario> --all`, or several systems named: each by a run of its own, begun in their order. */
import { randomBytes } from 'node:crypto';
import { InputError, MusterError, messageOf } from '../errors.js';
import type { RecoverAllInput, SystemToRecover } from '../model/recover-all.js';
import { loadRunbook, runbookFiles, systemOf } from '../runbook/load.js';
import type { Runbook } from '../runbook/schema.js';
import type { TemporalSession } from '../temporal/connection.js';
import { newRunId } from '../temporal/names.js';
import { uiLink } from '../temporal/target.js';
import { startTogether } from '../temporal/undertakings.js';
import { goFirst } from './begun.js';
import { confirmByTyping } from './confirm.js';
import type { CliContext } from './context.js';
import { scenariosOf } from './planning.js';
import { describeRun, prepare, type RecoverOptions, type Request, readRequest } from './recovering.js';
import { span } from './render/units.js';
import { withTemporal } from './sessions.js';
import { watchTogether } from './watching-together.js';

export interface TogetherOptions extends RecoverOptions {
  readonly all?: boolean;
  readonly atOnce: string;
}

interface Ready {
  readonly request: Request;
  readonly one: SystemToRecover<Runbook>;
  readonly remarks: readonly string[];
}

interface LeftOut {
  readonly system: string;
  readonly why: string;
}

/**
 * @param named systems; none with `--all`: every system whose runbook has the scenario
 * @throws InputError or RefusedError for what keeps a named system from being begun; with `--all` it is left out, and said
 */
export async function recoverTogether(
  context: CliContext,
  scenario: string,
  named: readonly string[],
  options: TogetherOptions,
): Promise<void> {
  const atOnce = parseAtOnce(options.atOnce);
  if (options.mode !== 'real') throw onlyReal(options.mode);
  if (options.all === true && named.length > 0) throw eitherOr(named);
  const { systems, unreadable } =
    options.all === true
      ? await systemsWith(context, scenario)
      : { systems: [...new Set(named)], unreadable: [] };
  // One moment for all of them: each clock runs since the disaster was noticed.
  const detectedAt = options.detectedAt ?? new Date().toISOString();
  await withTemporal(context, async (session) => {
    const looked = await lookAtAll(context, session, scenario, systems, {
      ...options,
      detectedAt,
    });
    const { ready } = looked;
    const leftOut = [...unreadable, ...looked.leftOut];
    if (ready.length === 0) throw noneReady(scenario, leftOut);
    const [first] = ready as [Ready, ...Ready[]];
    const input: RecoverAllInput<Runbook> = {
      id: newRunId('all', scenario, new Date(), randomBytes(2).toString('hex')),
      scenario,
      mode: 'real',
      requestedBy: first.request.requestedBy,
      atOnce,
      systems: ready.map(({ one }) => one),
    };
    show(context, input, ready, leftOut);
    if (options.yes !== true) {
      await confirmByTyping(context, `Type ${scenario} to begin ${ready.length} recoveries:`, scenario);
    }
    const undertaking = await startTogether(session, input);
    for (const { request, one } of ready) await goFirst(context, session, request, one.input);
    const temporalUi = uiLink(session.target, undertaking.workflowId, undertaking.temporalRunId) ?? null;
    context.out.line(`Begun     ${input.id}`);
    if (temporalUi !== null) context.out.line(`Temporal  ${temporalUi}`);
    const watch = options.watch ?? context.out.interactive;
    const seen = watch ? await watchTogether(context, session, undertaking) : undefined;
    if (!watch) context.out.line('Watch it  muster watch --all');
    if (!context.out.json) return;
    const begun = ready.map(({ one: { system, input: run } }) => ({
      system,
      runId: run.runId,
      workflowId: `${system}.real`,
      planHash: run.planHash,
    }));
    context.out.result(
      {
        id: input.id,
        scenario,
        atOnce,
        systems: begun,
        leftOut,
        temporalUi,
        ...(seen === undefined ? {} : { ended: seen }),
      },
      () => '',
    );
  });
}

/** One runbook that cannot be read must not keep the others from being recovered. */
async function systemsWith(
  context: CliContext,
  scenario: string,
): Promise<{ readonly systems: readonly string[]; readonly unreadable: readonly LeftOut[] }> {
  const { scenarios } = await import('../../workflows/scenarios.js');
  if (!Object.hasOwn(scenarios, scenario)) throw nobodyHas(scenario, Object.keys(scenarios));
  const systems: string[] = [];
  const unreadable: LeftOut[] = [];
  for (const file of await runbookFiles((await context.runbooks()).dir)) {
    try {
      const loaded = await loadRunbook(file);
      if ((await scenariosOf(loaded)).includes(scenario)) systems.push(loaded.runbook.system);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      unreadable.push({ system: systemOf(file), why: `${error.message} See muster check ${systemOf(file)}` });
    }
  }
  return { systems, unreadable };
}

async function lookAtAll(
  context: CliContext,
  session: TemporalSession,
  scenario: string,
  systems: readonly string[],
  options: TogetherOptions,
): Promise<{ readonly ready: readonly Ready[]; readonly leftOut: readonly LeftOut[] }> {
  const looks = await Promise.all(
    systems.map(async (system): Promise<Ready | LeftOut> => {
      try {
        const request = await readRequest(context, scenario, system, options);
        const { input, remarks } = await prepare(context, session, request, options);
        return { request, remarks, one: toRecover(request, input, systems) };
      } catch (error) {
        // Who was named is wanted; with --all one that cannot be begun holds up nobody.
        if (options.all !== true || !(error instanceof MusterError)) throw error;
        return { system, why: messageOf(error) };
      }
    }),
  );
  const ready = looks.filter((one): one is Ready => 'request' in one);
  return {
    ready: [...ready].sort(
      (one, other) => one.one.tier - other.one.tier || (one.one.system < other.one.system ? -1 : 1),
    ),
    leftOut: looks.filter((one): one is LeftOut => 'why' in one),
  };
}

function toRecover(
  request: Request,
  input: SystemToRecover<Runbook>['input'],
  systems: readonly string[],
): SystemToRecover<Runbook> {
  const { runbook, planned } = request;
  const { summary, details } = describeRun(request, input);
  return {
    system: runbook.system,
    title: runbook.title,
    tier: runbook.tier,
    dependsOn: runbook.dependsOn.filter((name) => systems.includes(name)),
    input,
    component: planned.document.component,
    targetMs: planned.document.rtoMs,
    summary,
    details,
  };
}

function show(
  context: CliContext,
  { scenario, atOnce }: RecoverAllInput<Runbook>,
  ready: readonly Ready[],
  leftOut: readonly LeftOut[],
): void {
  const { out } = context;
  out.line(
    `${ready.length} systems  ${scenario}  REAL, ${atOnce} work at once; each with its own run, clock, gates and report`,
  );
  for (const { one, request, remarks } of ready) {
    const { tier, dependsOn, component, targetMs, system } = one;
    const after = dependsOn.length === 0 ? '' : `, after ${dependsOn.join(', ')}`;
    const budget = span(request.planned.verdict.path.totalMs);
    out.line(` ${system}  tier ${tier}${after}  ${component} RTO ${span(targetMs)}, budgets ${budget}`);
    for (const remark of remarks) out.line(`   note  ${remark}`);
  }
  for (const { system, why } of leftOut) out.line(` ${system}  LEFT OUT: ${why}`);
  out.line();
}

function parseAtOnce(given: string): number {
  if (/^[1-9]\d?$/.test(given)) return Number(given);
  throw new InputError('It is not said how many may work at once.', [
    { field: '--at-once', given, allowed: '1 to 99' },
  ]);
}

function onlyReal(mode: string): InputError {
  return new InputError('Several systems are recovered together for real only.', [
    { field: '--mode', given: mode, allowed: 'real; a drill is begun for one system' },
  ]);
}

function eitherOr(named: readonly string[]): InputError {
  return new InputError('Either all systems or those that are named.', [
    { field: '--all', given: `--all and ${named.join(', ')}`, allowed: 'one of the two' },
  ]);
}

function nobodyHas(scenario: string, known: readonly string[]): InputError {
  return new InputError(`There is no scenario ${scenario}.`, [
    { field: '<scenario>', given: scenario, allowed: known.join(', ') },
  ]);
}

function noneReady(scenario: string, leftOut: readonly LeftOut[]): InputError {
  return new InputError(
    `No system can be recovered with ${scenario} as things stand; nothing was begun.`,
    leftOut.length === 0
      ? [{ field: '--all', given: scenario, allowed: 'a scenario that a runbook has a section for' }]
      : leftOut.map(({ system, why }) => ({ field: '<system>', given: system, allowed: why })),
  );
}
