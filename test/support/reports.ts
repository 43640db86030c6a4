/** Reports of different fates: everything well, aborted, and long with failures, retries and a missed RTO. */
import type { LossReport } from '../../activities/contract.js';
import { buildReport, planSha256 } from '../../src/evidence/build.js';
import type { ReportDocument } from '../../src/evidence/document.js';
import type { PlanDocument } from '../../src/model/plan.js';
import type { DecisionView, RunView, StepView } from '../../src/model/run.js';
import { payymoPlan } from './payymo-plan.js';
import { finishedOutputs, lostPayments } from './run-outputs.js';
import { finishedRun, troubledRun } from './run-view.js';

const publicKeySha256 = '5d2f0a71c2b94e0c8f16d1b5f4a7e39c0d86b1a2e4f37590ac1d2e3f40516273';
const journal = { entries: 58, hash: 'e1b6f0c2a4d8937561e2f3047a8b9c0d1e2f30415263748596a7b8c9d0e1f203' };

export const finishedReport: ReportDocument = buildReport({
  plan: payymoPlan,
  view: finishedRun,
  outputs: finishedOutputs,
  lost: [{ dataClass: 'transactions', records: 41, complete: true, listed: lostPayments }],
  journal,
  publicKeySha256,
});

const { assess, 'propose-point': point, 'provision-target': provisioned } = finishedOutputs;

export const abortedReport: ReportDocument = buildReport({
  plan: payymoPlan,
  view: troubledRun,
  outputs: { assess, 'propose-point': point, 'provision-target': provisioned },
  lost: [],
  publicKeySha256,
});

const minute = 60_000;
const detected = Date.parse('2026-11-21T22:14:30.000Z');
const moment = (minutes: number) => new Date(detected + minutes * minute).toISOString();

const greatLoss: LossReport = {
  summary: '250,000 payments lost',
  classes: {
    transactions: {
      targetMs: 5 * minute,
      actualMs: 7 * minute,
      lostRecords: 250_000,
      method: 'payments acknowledged by the client, looked up in the recovered ledger',
      sample: [],
    },
  },
};

/** 26 steps over almost nine hours, across midnight: retries, steps past their budgets, a gate that took long. */
function longRun(): { plan: PlanDocument; view: RunView } {
  const names = payymoPlan.steps.map(({ name }) => name);
  const more = [
    'restore-objects',
    'deploy-web-interface',
    'deploy-core-api',
    'reconcile-processor-and-accounting',
  ];
  const plan: PlanDocument = {
    ...payymoPlan,
    scenario: 'regional-loss',
    title: 'Payymo: from the other region',
    steps: [
      ...payymoPlan.steps,
      ...more.map((name) => ({
        ...(payymoPlan.steps[7] as PlanDocument['steps'][number]),
        name,
        title: name.replace(/-/g, ' '),
        needs: ['provision-target'],
      })),
    ],
  };
  const spans: Record<string, readonly [number, number]> = {
    assess: [34, 41],
    'propose-point': [41, 44],
    'gate-point': [44, 131],
    'lower-dns-ttl': [41, 42],
    'provision-target': [44, 72],
    restore: [72, 243],
    'restore-objects': [72, 311],
    'deploy-web-interface': [72, 94],
    'deploy-core-api': [94, 140],
    'verify-repository': [72, 148],
    'verify-files': [243, 259],
    'verify-point': [259, 260],
    'verify-structure': [260, 331],
    'verify-dump': [260, 312],
    'verify-invariants': [260, 274],
    'verify-application': [260, 268],
    'reconcile-processor-and-accounting': [274, 402],
    'fence-primary': [131, 133],
    'preserve-damaged': [133, 171],
    'gate-promote': [331, 419],
    promote: [419, 420],
    cutover: [420, 437],
    validate: [437, 444],
    'measure-loss': [444, 452],
    'protect-again': [444, 513],
    report: [513, 514],
  };
  const step = (name: string): StepView => {
    const document = plan.steps.find((each) => each.name === name) as PlanDocument['steps'][number];
    const [from, to] = spans[name] ?? [0, 0];
    const people = document.kind === 'gate' ? (to - from) * minute : name === 'restore' ? 38 * minute : 0;
    return {
      name,
      title: document.title,
      kind: document.kind,
      effect: document.effect,
      needs: document.needs,
      restores: document.restores,
      status: 'done',
      budgetMs: document.budgetMs,
      begun: name === 'restore' ? 3 : name === 'cutover' ? 2 : 1,
      startedAt: moment(from),
      endedAt: moment(to),
      workingMs: (to - from) * minute - people,
      waitingMs: people,
      summary: finishedRun.steps.find((each) => each.name === name)?.summary ?? 'done',
      ...(document.gate === undefined ? {} : { gate: document.gate }),
      decisions:
        document.kind === 'gate'
          ? (finishedRun.steps.find((each) => each.name === name)?.decisions ?? []).map((decision) => ({
              ...decision,
              at: moment(to),
            }))
          : name === 'restore'
            ? [104, 188].map((at) => ({
                choice: 'retry' as const,
                by: 'on-call engineer',
                reason: 'the repository in the west answered 503 and was given up',
                at: moment(at),
                channel: 'update' as const,
                saw: [{ label: 'failure', value: 'RepositoryUnavailable: S3 answered 503 five times' }],
              }))
            : [],
    };
  };
  const back = 444 * minute;
  return {
    plan,
    view: {
      ...finishedRun,
      runId: 'payymo-regional-loss-20261121-224830',
      scenario: 'regional-loss',
      mode: 'drill',
      planHash: planSha256(plan),
      asOf: moment(514),
      clock: {
        detectedAt: moment(0),
        startedAt: moment(34),
        targetMs: plan.rtoMs,
        deadline: moment(360),
        actualMs: back,
        beforeStartMs: 34 * minute,
        workingMs: 322 * minute,
        waitingMs: 88 * minute,
      },
      components: Object.entries(plan.components).map(([name, { rtoMs }]) => ({
        name,
        targetMs: rtoMs,
        actualMs: back,
      })),
      steps: [...names, ...more].map(step),
      warnings: [
        { at: moment(87), text: 'restore has used 50 % of its budget of 30 min' },
        { at: moment(360), text: 'RTO: 100 % of 6 h is used' },
      ],
      outcome: 'Payymo takes payments in the east.',
    },
  };
}

export const longReport: ReportDocument = buildReport({
  ...longRun(),
  outputs: { ...finishedOutputs, 'measure-loss': greatLoss },
  lost: [
    {
      dataClass: 'transactions',
      records: 250_000,
      complete: false,
      listed: Array.from({ length: 1_500 }, (_, at) => ({
        id: `8f14e45f-ceea-467f-a9d3-${String(at).padStart(12, '0')}`,
        at: new Date(detected - 60_000 + at * 40).toISOString(),
      })),
    },
  ],
  journal,
  publicKeySha256,
});

const from = { address: '192.0.2.7', agent: 'muster 0.1.0 on linux' };

/** The finished run as it is when everything out of the ordinary has happened to it. */
export const steeredRun: RunView = {
  ...finishedRun,
  commander: 'night lead',
  adopted: { by: 'night lead', at: '2026-11-21T03:07:00.000Z' },
  overrides: [
    {
      on: 'promote',
      by: ['night lead', 'security lead'],
      reason: 'the technical directors are on one aeroplane',
      at: '2026-11-21T03:08:02.000Z',
      without: 'the approval of one more technical-director',
    },
  ],
  steps: finishedRun.steps.map((step) => {
    const said = (clock: string, decision: Partial<DecisionView>): DecisionView => ({
      choice: 'approve',
      by: 'night lead',
      at: `2026-11-21T${clock}.000Z`,
      channel: 'update',
      saw: [],
      provenBy: ['totp', 'ssh'],
      origin: from,
      ...decision,
    });
    if (step.name === 'gate-point') {
      return {
        ...step,
        decisions: [
          said('03:05:00', { choice: 'hold', by: 'database lead', reason: 'strange figures', provenBy: [] }),
          said('03:05:40', { choice: 'resume', by: 'on-call engineer' }),
          said('03:05:50', {
            choice: 'hand-over',
            by: 'on-call engineer',
            to: 'night lead',
            reason: 'end of shift',
          }),
          ...step.decisions.map((decision) => ({
            ...decision,
            provenBy: ['ed25519' as const],
            origin: from,
          })),
        ],
      };
    }
    if (step.name === 'lower-dns-ttl') {
      return {
        ...step,
        status: 'skipped' as const,
        summary: 'skipped by night lead: the zone is moved by hand',
        decisions: [said('03:05:55', { choice: 'skip', reason: 'the zone is moved by hand' })],
      };
    }
    if (step.name !== 'gate-promote') return step;
    return {
      ...step,
      summary: 'overridden by night lead and security lead',
      decisions: [
        said('03:07:58', { choice: 'override', reason: 'the technical directors are on one aeroplane' }),
        said('03:08:02', {
          choice: 'override',
          by: 'security lead',
          reason: 'the technical directors are on one aeroplane',
          channel: 'signal',
        }),
      ],
    };
  }),
};

export const steeredReport: ReportDocument = buildReport({
  plan: payymoPlan,
  view: steeredRun,
  outputs: finishedOutputs,
  lost: [{ dataClass: 'transactions', records: 41, complete: true, listed: lostPayments }],
  journal,
  publicKeySha256,
});
