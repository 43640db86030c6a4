/** Makes the report of a run from what the run knows. Pure: the same run gives the same report, byte for byte. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../model/canonical-json.js';
import { type DecisionChoice, WHOLE_RUN } from '../model/decision.js';
import { formatDuration } from '../model/format.js';
import type { PlanDocument } from '../model/plan.js';
import type { RunView } from '../model/run.js';
import type { JournalHead } from '../store/chain.js';
import { commandOf, exceptionsOf, holdsOf, subjectOf } from './command.js';
import { walkedPath } from './critical-path.js';
import { deviationsOf, overBudgetMs } from './deviations.js';
import {
  type Approval,
  type DataObjective,
  type Deviation,
  type LostClass,
  type Objective,
  type Participant,
  REPORT_FORMAT,
  type ReportDocument,
  type ReportStep,
  type Verification,
} from './document.js';
import { checksOf, lossesOf, type Outputs, pointsOf } from './outputs.js';
import { findingsOf, gateRoles, nextStepsOf } from './tasks.js';

export interface ReportInput {
  readonly plan: PlanDocument;
  /** As it is at the end: `status` says how the run ends. */
  readonly view: RunView;
  readonly outputs: Outputs;
  /** Records lost by data class, from the store; data classes that are not in it are listed from the outputs. */
  readonly lost: readonly LostClass[];
  readonly journal?: JournalHead;
  /** SHA-256 of the public key's DER form, hexadecimal. */
  readonly publicKeySha256: string;
}

export function buildReport(input: ReportInput): ReportDocument {
  const { plan, view, outputs } = input;
  const rto = recoveryObjectives(view);
  const rpo = dataObjectives(outputs);
  const lost = lostClasses(outputs, input.lost);
  const situation = { plan, view, outputs, rto, rpo, lost };
  const serviceRestoredAt =
    view.clock.actualMs === undefined
      ? undefined
      : new Date(Date.parse(view.clock.detectedAt) + view.clock.actualMs).toISOString();
  const pointOfNoReturnAt = view.steps.find(
    (step) => step.startedAt !== undefined && isPointOfNoReturn(plan, step.name),
  )?.startedAt;
  return {
    format: REPORT_FORMAT,
    id: view.runId,
    writtenAt: view.asOf,
    system: view.system,
    systemTitle: view.systemTitle,
    scenario: view.scenario,
    title: plan.title,
    mode: view.mode,
    status: view.status,
    ...(view.outcome === undefined ? {} : { outcome: view.outcome }),
    scope: { components: Object.keys(plan.components), dataClasses: rpo.map(({ dataClass }) => dataClass) },
    assumptions: assumptionsOf(outputs),
    expectedResults: expectedResults(plan, rpo),
    participants: participantsOf(view),
    command: commandOf(view),
    holds: holdsOf(view),
    exceptions: exceptionsOf(view),
    clock: {
      detectedAt: view.clock.detectedAt,
      startedAt: view.clock.startedAt,
      ...(serviceRestoredAt === undefined ? {} : { serviceRestoredAt }),
      beforeStartMs: view.clock.beforeStartMs,
      workingMs: view.clock.workingMs,
      waitingMs: view.clock.waitingMs,
    },
    rto,
    rpo,
    steps: view.steps.map(reportStep),
    criticalPath: walkedPath(view.steps, lastOnThePath(plan, view)),
    ...(pointOfNoReturnAt === undefined ? {} : { pointOfNoReturnAt }),
    verification: verificationsOf(outputs),
    approvals: approvalsOf(plan, view),
    lost,
    deviations: [...planDeviation(plan, view), ...deviationsOf(view)],
    findings: findingsOf(situation),
    nextSteps: nextStepsOf(situation),
    signOff: ['incident commander', ...gateRoles(plan)],
    plan: { sha256: view.planHash, document: plan },
    outputs,
    ...(input.journal === undefined ? {} : { journal: input.journal }),
    signing: { algorithm: 'Ed25519', publicKeySha256: input.publicKeySha256 },
  };
}

/** SHA-256 over the canonical JSON of a plan, in hexadecimal: what approvals were given for. */
export function planSha256(plan: PlanDocument): string {
  return createHash('sha256').update(canonicalJson(plan)).digest('hex');
}

function recoveryObjectives(view: RunView): Objective[] {
  const objective = (of: Objective['of'], name: string, targetMs: number, actualMs?: number): Objective => ({
    of,
    name,
    targetMs,
    ...(actualMs === undefined ? {} : { actualMs }),
    met: actualMs !== undefined && actualMs <= targetMs,
  });
  return [
    objective('run', view.component, view.clock.targetMs, view.clock.actualMs),
    ...view.components.map(({ name, targetMs, actualMs }) =>
      objective('component', name, targetMs, actualMs),
    ),
  ];
}

function dataObjectives(outputs: Outputs): DataObjective[] {
  return lossesOf(outputs).flatMap(({ output }) =>
    Object.entries(output.classes).map(([dataClass, { targetMs, actualMs, lostRecords, method }]) =>
      // A zero that nobody measured is no zero.
      actualMs === null || lostRecords === null
        ? { dataClass, targetMs, met: false, method }
        : { dataClass, targetMs, actualMs, met: actualMs <= targetMs, lostRecords, method },
    ),
  );
}

/** The store's list; where it has none, the first ones that the measuring step named. No count is below what was measured. */
function lostClasses(outputs: Outputs, kept: readonly LostClass[]): LostClass[] {
  const measured = new Map(lossesOf(outputs).flatMap(({ output }) => Object.entries(output.classes)));
  const names = new Set([...kept.map(({ dataClass }) => dataClass), ...measured.keys()]);
  return [...names].flatMap((dataClass) => {
    const inStore = kept.find((each) => each.dataClass === dataClass);
    const { lostRecords, sample = [] } = measured.get(dataClass) ?? {};
    const records = Math.max(lostRecords ?? 0, inStore?.records ?? 0);
    const listed = inStore?.listed ?? sample.map((id) => ({ id }));
    return records === 0 ? [] : [{ dataClass, records, complete: listed.length >= records, listed }];
  });
}

function assumptionsOf(outputs: Outputs): string[] {
  return pointsOf(outputs).flatMap(({ output }) => [
    output.asked === 'newest'
      ? 'Nothing that was written was bad: the newest state that is kept was gone back to.'
      : `The data was good before ${output.asked}: that moment was given by people.`,
    output.archive === undefined
      ? `Backup ${output.backup.label} and ${output.walSegments} WAL segments lead to ${output.time}.`
      : `Archive ${output.archive.label} of ${output.archive.copy}, signed by ${output.archive.signer}, holds the state of ${output.time}.`,
  ]);
}

function expectedResults(plan: PlanDocument, rpo: readonly DataObjective[]): string[] {
  return [
    ...Object.entries(plan.components).map(
      ([name, { rtoMs }]) => `${name} is back within ${formatDuration(rtoMs)} of detection.`,
    ),
    ...rpo.map(
      ({ dataClass, targetMs }) => `${dataClass}: no more than ${formatDuration(targetMs)} is lost.`,
    ),
    'Nothing is promoted that has not passed every rung of verification, nor before the fence is proven.',
  ];
}

const PARTS: Readonly<Record<DecisionChoice, string>> = {
  approve: 'approved',
  deny: 'denied',
  withdraw: 'took a word back at',
  override: 'overrode',
  retry: 'retried',
  skip: 'skipped',
  hold: 'held',
  resume: 'resumed',
  'hand-over': 'handed over the command of',
  abort: 'aborted',
};

function participantsOf(view: RunView): Participant[] {
  const parts = new Map<string, string[]>([[view.requestedBy, ['asked for the run']]]);
  for (const step of view.steps) {
    for (const { by, choice } of step.decisions) {
      const on = subjectOf(step.name, choice);
      const part = `${PARTS[choice]} ${on === WHOLE_RUN ? 'the run' : on}`;
      parts.set(by, [...new Set([...(parts.get(by) ?? []), part])]);
    }
  }
  return [...parts].map(([name, part]) => ({ name, part }));
}

function reportStep(step: RunView['steps'][number]): ReportStep {
  const over = overBudgetMs(step);
  return {
    name: step.name,
    title: step.title,
    kind: step.kind,
    status: step.status,
    ...(step.startedAt === undefined ? {} : { startedAt: step.startedAt }),
    ...(step.endedAt === undefined ? {} : { endedAt: step.endedAt }),
    budgetMs: step.budgetMs,
    workingMs: step.workingMs,
    waitingMs: step.waitingMs,
    begun: step.begun,
    ...(over === undefined ? {} : { overBudgetMs: over }),
    ...(step.summary === undefined ? {} : { summary: step.summary }),
    ...(step.failure === undefined ? {} : { failure: step.failure }),
  };
}

/** The step that brought the service back; where that was not reached, the one that ended or failed last. */
function lastOnThePath(plan: PlanDocument, view: RunView): string {
  const back = view.steps.find((step) => step.name === plan.serviceRestoredBy);
  if (back?.endedAt !== undefined) return plan.serviceRestoredBy;
  const when = (step: RunView['steps'][number]) => step.endedAt ?? step.failure?.at ?? step.startedAt ?? '';
  return view.steps.reduce(
    (latest, step) => (when(step) > when(latest) ? step : latest),
    view.steps[0] as never,
  )?.name;
}

function isPointOfNoReturn(plan: PlanDocument, name: string): boolean {
  return plan.steps.some((step) => step.name === name && step.pointOfNoReturn);
}

function verificationsOf(outputs: Outputs): Verification[] {
  return checksOf(outputs)
    .flatMap(({ step, output }) => output.map((check) => ({ step, ...check })))
    .sort((one, other) => one.rung - other.rung);
}

function approvalsOf(plan: PlanDocument, view: RunView): Approval[] {
  const roles = new Map(plan.steps.map((step) => [step.name, step.gate?.roles ?? []]));
  return view.steps
    .flatMap((step) =>
      step.decisions.map((decision) => ({
        step: step.name,
        on: subjectOf(step.name, decision.choice),
        title: step.title,
        roles: roles.get(step.name) ?? [],
        ...decision,
      })),
    )
    .sort((one, other) => (one.at < other.at ? -1 : 1));
}

function planDeviation(plan: PlanDocument, view: RunView): Deviation[] {
  const actual = planSha256(plan);
  if (actual === view.planHash) return [];
  return [
    {
      kind: 'plan',
      text: `The plan that ran has the hash ${actual}, the one that was asked for ${view.planHash}.`,
    },
  ];
}
