/**
 * Runs of Payymo's corruption recovery as views, for tests of what shows them: `finishedRun` (recovered, nothing went
 * wrong), `waitingRun` (the same run while the restore works and a gate waits), `troubledRun` (failures, retries, a
 * changed point, a step skipped).
 */
import type {
  DecisionView,
  Fact,
  OpenDecision,
  Progress,
  RunView,
  StepStatus,
  StepView,
} from '../../src/model/run.js';
import { planHash } from '../../workflows/engine/hash.js';
import { payymoPlan } from './payymo-plan.js';

const day = '2026-11-21';

/** `03:04:05.6` of the day of the run as ISO 8601. */
export function at(clock: string): string {
  return new Date(`${day}T${clock}Z`).toISOString();
}

const ms = (from: string, to: string) => Date.parse(at(to)) - Date.parse(at(from));

interface StepFacts {
  readonly status?: StepStatus;
  readonly from?: string;
  readonly to?: string;
  readonly waitingMs?: number;
  readonly workingMs?: number;
  readonly begun?: number;
  readonly summary?: string;
  readonly failure?: StepView['failure'];
  readonly decisions?: readonly DecisionView[];
}

/** Steps of the plan, each with what is said of it; steps of which nothing is said are pending. */
export function steps(facts: Readonly<Record<string, StepFacts>>): StepView[] {
  return payymoPlan.steps.map((step) => {
    const said = facts[step.name] ?? {};
    const elapsed = said.from !== undefined && said.to !== undefined ? ms(said.from, said.to) : 0;
    const waitingMs = said.waitingMs ?? (step.kind === 'gate' ? elapsed : 0);
    return {
      name: step.name,
      title: step.title,
      kind: step.kind,
      effect: step.effect,
      needs: step.needs,
      restores: step.restores,
      status:
        said.status ?? (said.to !== undefined ? 'done' : said.from !== undefined ? 'running' : 'pending'),
      budgetMs: step.budgetMs,
      begun: said.begun ?? (said.from === undefined ? 0 : 1),
      ...(said.from === undefined ? {} : { startedAt: at(said.from) }),
      ...(said.to === undefined ? {} : { endedAt: at(said.to) }),
      workingMs: said.workingMs ?? elapsed - waitingMs,
      waitingMs,
      ...(said.summary === undefined ? {} : { summary: said.summary }),
      ...(said.failure === undefined ? {} : { failure: said.failure }),
      ...(step.gate === undefined ? {} : { gate: step.gate }),
      decisions: said.decisions ?? [],
    };
  });
}

export const pointFacts: readonly Fact[] = [
  { label: 'Recovery point', value: '2026-11-21 02:59:39.871 UTC' },
  { label: 'Backup', value: '20261121-013000F, repository 1 (west), stopped 01:38:12 UTC' },
  { label: 'WAL', value: '14 segments up to 0/5A001230, all present in west and east' },
  { label: 'Loses', value: '41 acknowledged payments, 1 min 12 s' },
  { label: 'Damage', value: '18,204 rows altered, 312 deleted, trigger off since 02:59:40 UTC' },
];

export const promoteFacts: readonly Fact[] = [
  { label: 'Fence', value: 'token 7; write as payymo_app refused at 03:06:32 UTC' },
  { label: 'Damaged copy', value: 'preserved, 8.7 GB, sha256 of the manifest 9f2c41d07a…' },
  { label: 'Point reached', value: '2026-11-21 02:59:39.871 UTC at 0/5A001230' },
  { label: 'Verification', value: '8 of 8 rungs passed' },
  { label: 'No way back', value: 'after this the run can no longer be aborted' },
];

const approvedPoint: DecisionView = {
  choice: 'approve',
  by: 'on-call database lead',
  reason: 'last good payment matches the processor',
  at: at('03:06:31.2'),
  channel: 'update',
  saw: pointFacts,
};
const approvedPromotion: DecisionView = {
  choice: 'approve',
  by: 'technical director',
  at: at('03:08:02.1'),
  channel: 'signal',
  saw: promoteFacts,
};

const untilRestore: Record<string, StepFacts> = {
  assess: {
    from: '03:04:02.4',
    to: '03:04:05.6',
    summary: '18,204 rows altered, 312 deleted, trigger off since 02:59:40 UTC',
  },
  'propose-point': {
    from: '03:04:05.7',
    to: '03:04:07.9',
    summary: '02:59:39.871 UTC, backup 20261121-013000F and 14 WAL segments',
  },
  'lower-dns-ttl': { from: '03:04:05.7', to: '03:04:07.1', summary: 'db.payymo.test: TTL 60 s to 5 s' },
  'provision-target': {
    from: '03:04:08.0',
    to: '03:04:12.3',
    summary: 'site west-b, 42 GB free, 8.7 GB needed',
  },
  'verify-repository': {
    from: '03:04:12.4',
    to: '03:05:10.8',
    summary: 'backup and 14 WAL segments whole in both repositories',
  },
};

const finished: Record<string, StepFacts> = {
  ...untilRestore,
  'gate-point': {
    from: '03:04:08.0',
    to: '03:06:31.2',
    summary: 'approved by on-call database lead',
    decisions: [approvedPoint],
  },
  restore: {
    from: '03:04:12.4',
    to: '03:05:48.9',
    summary: '8.7 GB in 1 min 22 s, WAL to 02:59:39.871 UTC in 14 s',
  },
  'verify-files': {
    from: '03:05:49.0',
    to: '03:06:04.1',
    summary: 'timeline 3, 1,138,204 pages without an error',
  },
  'verify-point': { from: '03:06:04.2', to: '03:06:06.0', summary: 'last commit 02:59:39.866 UTC' },
  'verify-structure': { from: '03:06:06.1', to: '03:06:40.3', summary: '212 relations without an error' },
  'verify-dump': { from: '03:06:06.1', to: '03:06:31.0', summary: '6.1 GB read and thrown away' },
  'verify-invariants': { from: '03:06:06.1', to: '03:06:12.4', summary: '11 of 11 invariants hold' },
  'verify-application': {
    from: '03:06:06.1',
    to: '03:06:15.7',
    summary: '3 of 3 functions answer as they must',
  },
  'fence-primary': {
    from: '03:06:31.3',
    to: '03:06:33.1',
    summary: 'token 7; write as payymo_app refused, 9 sessions ended',
  },
  'preserve-damaged': { from: '03:06:33.2', to: '03:06:39.5', summary: '8.7 GB in quarantine' },
  'gate-promote': {
    from: '03:06:40.4',
    to: '03:08:02.1',
    summary: 'approved by technical director',
    decisions: [approvedPromotion],
  },
  promote: { from: '03:08:02.2', to: '03:08:04.0', summary: 'timeline 4, promoted once' },
  cutover: { from: '03:08:04.1', to: '03:08:08.3', summary: 'db.payymo.test answers 127.0.0.12 after 3.1 s' },
  validate: { from: '03:08:08.4', to: '03:08:11.6', summary: 'a payment succeeded at 03:08:10 UTC' },
  'measure-loss': {
    from: '03:08:11.7',
    to: '03:08:13.0',
    summary: '41 payments lost, RPO 1 min 12 s of 5 min',
  },
  'protect-again': { from: '03:08:11.7', to: '03:09:20.2', summary: '20261121-030812F in west and east' },
  report: { from: '03:09:20.3', to: '03:09:21.0', summary: 'signed' },
};

const base = {
  runId: 'payymo-corruption-20261121-030402',
  system: 'payymo',
  systemTitle: 'Payymo payments ledger',
  scenario: 'corruption',
  component: payymoPlan.component,
  serviceRestoredBy: payymoPlan.serviceRestoredBy,
  mode: 'real',
  requestedBy: 'on-call engineer',
  commander: 'on-call engineer',
  overrides: [],
  steering: [],
  undelivered: [],
  planHash: planHash(payymoPlan),
  expectations: { restore: { medianMs: 91_000, p90Ms: 118_000, runs: 6 } },
} as const;

const clock = {
  detectedAt: at('03:02:11'),
  startedAt: at('03:04:02.1'),
  targetMs: payymoPlan.rtoMs,
  deadline: at('09:02:11'),
  beforeStartMs: ms('03:02:11', '03:04:02.1'),
};

const backAfterMs = ms('03:02:11', '03:08:11.6');

/** Recovered in six minutes; two gates, 41 payments lost. */
export const finishedRun: RunView = {
  ...base,
  status: 'recovered',
  asOf: at('03:09:21.1'),
  endedAt: at('03:09:21.1'),
  clock: { ...clock, actualMs: backAfterMs, workingMs: 237_300, waitingMs: 81_700 },
  components: Object.entries(payymoPlan.components).map(([name, { rtoMs }]) => ({
    name,
    targetMs: rtoMs,
    actualMs: backAfterMs,
  })),
  steps: steps(finished),
  openDecisions: [],
  warnings: [],
  pointOfNoReturnPassed: true,
  outcome: 'Payymo takes payments again at west-b, as of 02:59:39.871 UTC; 41 payments are lost and listed.',
};

export const openPoint: OpenDecision = {
  step: 'gate-point',
  gate: 'point',
  question: 'Go back to 02:59:39.871 UTC?',
  roles: ['database-lead'],
  since: at('03:04:08.0'),
  expiresAt: at('03:19:08.0'),
  choices: [
    { choice: 'approve', consequence: 'fences the primary; the restore of this point goes on' },
    { choice: 'deny', consequence: 'nothing is fenced; the run waits for another point or is aborted' },
    { choice: 'abort', consequence: 'undoes: provision-target, lower-dns-ttl' },
  ],
  facts: pointFacts,
  approvals: [],
  missing: 'database-lead',
  secondFactor: false,
  changes: { point: 'a moment, ISO 8601 with a zone' },
};

/** Details of the heartbeat of the restore that works in `waitingRun`. */
export const restoreProgress: Progress = {
  done: 6_200_000_000,
  total: 8_700_000_000,
  unit: 'bytes',
  ratePerSecond: 104_000_000,
  text: 'copying files from repository 1',
};

/** The restore works, the gate `point` waits. */
export const waitingRun: RunView = {
  ...base,
  status: 'running',
  asOf: at('03:05:24.0'),
  clock: { ...clock, workingMs: ms('03:04:02.1', '03:05:24'), waitingMs: 0 },
  components: Object.entries(payymoPlan.components).map(([name, { rtoMs }]) => ({ name, targetMs: rtoMs })),
  steps: steps({
    ...untilRestore,
    'gate-point': {
      status: 'waiting',
      from: '03:04:08.0',
      waitingMs: ms('03:04:08', '03:05:24'),
      workingMs: 0,
      summary: 'waits for database-lead',
    },
    restore: { from: '03:04:12.4', workingMs: ms('03:04:12.4', '03:05:24') },
  }),
  openDecisions: [openPoint],
  warnings: [],
  pointOfNoReturnPassed: false,
};

/** A run that failed before the point of no return and was aborted: a changed point, retries, a step past its budget. */
export const troubledRun: RunView = {
  ...base,
  runId: 'payymo-corruption-20261104-030402',
  status: 'aborted',
  asOf: at('06:11:40.0'),
  endedAt: at('06:11:40.0'),
  clock: { ...clock, workingMs: 5_940_000, waitingMs: 5_318_000 },
  components: Object.entries(payymoPlan.components).map(([name, { rtoMs }]) => ({ name, targetMs: rtoMs })),
  steps: steps({
    ...untilRestore,
    'gate-point': {
      from: '03:04:08.0',
      to: '03:31:02.0',
      begun: 2,
      summary: 'approved by on-call database lead with another point',
      decisions: [
        {
          choice: 'deny',
          by: 'on-call database lead',
          reason: 'the processor shows a wrong amount at 02:58:50 already',
          at: at('03:12:40.0'),
          channel: 'update',
          saw: pointFacts,
        },
        {
          ...approvedPoint,
          changed: 'recovery point 2026-11-21 02:58:30 UTC instead of 02:59:39.871 UTC',
          at: at('03:31:02.0'),
        },
      ],
    },
    restore: {
      status: 'waiting',
      from: '03:04:12.4',
      begun: 3,
      workingMs: 3_110_000,
      waitingMs: 5_318_000,
      summary: 'the backup is damaged',
      failure: {
        code: 'BackupDamaged',
        message:
          'File base/16401/2619 of backup 20261121-013000F does not have the checksum that its manifest names.',
        next: 'Retry from repository 2 (east), or approve an older point.',
        at: at('05:58:44.0'),
        attempts: 4,
      },
      decisions: [
        {
          choice: 'retry',
          by: 'on-call engineer',
          reason: 'repository 1 answered 503',
          at: at('03:58:10.0'),
          channel: 'update',
          saw: [{ label: 'Failure', value: 'S3 answered 503 five times' }],
        },
      ],
    },
    'fence-primary': {
      status: 'undone',
      from: '03:31:02.1',
      to: '03:31:04.0',
      summary: 'fence lifted',
    },
    'preserve-damaged': { status: 'skipped', summary: 'the run was aborted before it began' },
  }),
  openDecisions: [],
  warnings: [
    { at: at('03:19:12.4'), text: 'restore has used 50 % of its budget of 30:00' },
    { at: at('03:28:12.4'), text: 'restore has used 80 % of its budget of 30:00' },
    { at: at('03:34:12.4'), text: 'restore is past its budget of 30:00' },
  ],
  pointOfNoReturnPassed: false,
  outcome:
    'Aborted by on-call engineer; everything this run changed is undone, the damaged primary takes writes again.',
};
