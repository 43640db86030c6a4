/** What the steps of `finishedRun` put out. */
import type {
  Assessment,
  BackupTaken,
  FenceProof,
  LossReport,
  Promotion,
  ProvisionedTarget,
  Quarantine,
  RecordChange,
  RecoveryPoint,
  RestoreResult,
  RungCheck,
  RungResult,
  ServiceValidation,
} from '../../activities/contract.js';
import { at, finishedRun } from './run-view.js';

const summaryOf = (step: string) => finishedRun.steps.find(({ name }) => name === step)?.summary ?? '';

const check = (
  rung: number,
  title: string,
  [tool, toolVersion]: readonly [string, string],
  durationMs: number,
  detail: string,
): RungCheck => ({ rung, title, passed: true, tool, toolVersion, durationMs, detail });

const pgbackrest = ['pgbackrest', '2.45'] as const;
const server = ['PostgreSQL', '15.15'] as const;

const assessment: Assessment = {
  summary: summaryOf('assess'),
  reachable: true,
  serverVersion: '15.15',
  systemIdentifier: '7574921387120345123',
  timeline: 3,
  inRecovery: false,
  invariants: [
    {
      name: 'balanced',
      title: 'Every transfer debits what it credits',
      violations: 18_204,
      samples: ['transaction 211,042: debit 120.00, credit 1,200.00'],
      durationMs: 812,
    },
  ],
  disabledTriggers: ['ledger.transactions.append_only'],
  databaseBytes: 8_700_000_000,
};

const point: RecoveryPoint = {
  summary: summaryOf('propose-point'),
  time: '2026-11-21T02:59:39.871000Z',
  asked: '2026-11-21T02:59:40.000Z',
  systemIdentifier: assessment.systemIdentifier,
  timeline: 3,
  backup: {
    label: '20261121-013000F',
    repository: 1,
    type: 'full',
    stoppedAt: at('01:38:12'),
    databaseBytes: 8_700_000_000,
    walStart: '00000003000000000000004C',
  },
  usableRepositories: [1, 2],
  walSegments: 14,
  walEnd: '00000003000000000000005A',
  loses: { transactions: { records: 41, windowMs: 72_000 } },
};

const fence: FenceProof = {
  summary: summaryOf('fence-primary'),
  token: 7,
  refusedWrite: {
    at: at('03:06:32.4'),
    as: 'payymo_app',
    answer: 'cannot execute INSERT in a read-only transaction',
  },
  terminatedSessions: 9,
  lastWriteAt: at('03:06:31.9'),
  census: { transactions: { records: 41, newest: at('03:00:51.871') } },
};

const quarantine: Quarantine = {
  summary: summaryOf('preserve-damaged'),
  directory: '/srv/quarantine/payymo-corruption-20261121-030402',
  bytes: 8_700_000_000,
  manifest: '/srv/quarantine/payymo-corruption-20261121-030402/manifest.json',
  sha256: '9f2c41d07a3be2187700c1d4a96d2f10b3f5e80c1e6c50b04f3a0c7d2ab91e55',
};

const provisioned: ProvisionedTarget = {
  summary: summaryOf('provision-target'),
  site: 'west-b',
  dataDirectory: '/srv/postgresql/payymo',
  freeBytes: 42_000_000_000,
  neededBytes: 8_700_000_000,
  lease: 'payymo-corruption-20261121-030402',
};

const restored: RestoreResult = {
  summary: summaryOf('restore'),
  repository: 1,
  backupLabel: point.backup.label,
  restoredBytes: 8_700_000_000,
  filesMs: 82_000,
  replayMs: 14_000,
  delta: false,
  lsn: '0/5A001230',
  lastCommitAt: at('02:59:39.866'),
};

const rungs = (step: string, checks: readonly RungCheck[]): RungResult => ({
  summary: summaryOf(step),
  checks,
});

const promotion: Promotion = {
  summary: summaryOf('promote'),
  token: 'payymo/promotions/0004',
  timeline: 4,
  promotedAt: at('03:08:03.8'),
  alreadyDone: false,
};

const lowered: RecordChange = {
  summary: summaryOf('lower-dns-ttl'),
  record: 'db.payymo.test',
  before: ['127.0.0.11'],
  after: ['127.0.0.11'],
  ttlBefore: 60,
  ttlAfter: 5,
  changeId: 'C0451A',
  seenAfterMs: {},
  staleForMs: 60_000,
};

const cutover: RecordChange = {
  ...lowered,
  summary: summaryOf('cutover'),
  after: ['127.0.0.12'],
  ttlBefore: 5,
  changeId: 'C0451B',
  seenAfterMs: { '127.0.0.53:5353': 3_100 },
  staleForMs: 5_000,
};

const validation: ServiceValidation = {
  summary: summaryOf('validate'),
  checks: [
    check(
      8,
      'A payment is taken and shows in the balance',
      ['HTTP', '1.1'],
      412,
      'payment accepted, balance right',
    ),
  ],
  firstGoodAt: at('03:08:10.2'),
};

/** The identifiers of the 41 payments that the run lost. */
export const lostPayments = Array.from({ length: 41 }, (_, position) => ({
  id: `8f14e45f-ceea-467f-a9d3-${(0x5b0c11d20000 + position * 7919).toString(16)}`,
  at: new Date(Date.parse(at('02:59:40.1')) + position * 1_780).toISOString(),
}));

const loss: LossReport = {
  summary: summaryOf('measure-loss'),
  classes: {
    transactions: {
      targetMs: 300_000,
      actualMs: 72_000,
      lostRecords: 41,
      method: 'payments acknowledged by the client, looked up in the recovered ledger',
      sample: lostPayments.slice(0, 20).map(({ id }) => id),
    },
    'user-accounts': {
      targetMs: 3_600_000,
      actualMs: 0,
      lostRecords: 0,
      method: 'rows on the fenced primary written after the point',
      sample: [],
    },
    configuration: {
      targetMs: 21_600_000,
      actualMs: 0,
      lostRecords: 0,
      method: 'rows on the fenced primary written after the point',
      sample: [],
    },
    analytics: {
      targetMs: 86_400_000,
      actualMs: 71_000,
      lostRecords: 12,
      method: 'rows on the fenced primary written after the point',
      sample: Array.from({ length: 12 }, (_, position) => `event-${90_211 + position}`),
    },
  },
};

const backup: BackupTaken = {
  summary: summaryOf('protect-again'),
  labels: [
    { repository: 1, label: '20261121-030812F', bytes: 8_690_000_000 },
    { repository: 2, label: '20261121-030812F', bytes: 8_690_000_000 },
  ],
};

export const finishedOutputs: Readonly<Record<string, unknown>> = {
  assess: assessment,
  'propose-point': point,
  'gate-point': { summary: summaryOf('gate-point') },
  'lower-dns-ttl': lowered,
  'fence-primary': fence,
  'preserve-damaged': quarantine,
  'provision-target': provisioned,
  restore: restored,
  'verify-repository': rungs('verify-repository', [
    check(1, 'Backup whole in both repositories', pgbackrest, 52_300, '1,204 files, status: ok'),
    check(1, 'WAL without a gap', pgbackrest, 6_100, '14 of 14 segments, one timeline'),
  ]),
  'verify-files': rungs('verify-files', [
    check(2, 'Control file', ['pg_controldata', '15.15'], 90, 'identifier and timeline 3 as on the primary'),
    check(3, 'Page checksums', ['pg_checksums', '15.15'], 14_900, '1,138,204 pages, none bad'),
  ]),
  'verify-point': rungs('verify-point', [
    check(4, 'Point reached', server, 310, 'paused at 0/5A001230, last commit 02:59:39.866 UTC'),
  ]),
  'verify-structure': rungs('verify-structure', [
    check(5, 'Heap and indexes', ['pg_amcheck', '15.15'], 34_100, '212 relations, rows found in every index'),
  ]),
  'verify-dump': rungs('verify-dump', [
    check(6, 'Full dump thrown away', ['pg_dump', '15.15'], 24_800, '6.1 GB read'),
  ]),
  'verify-invariants': rungs('verify-invariants', [
    check(7, 'Every transfer debits what it credits', server, 2_912, 'no row breaks it'),
    check(7, 'Signatures chain', server, 5_820, '301,442 of 301,442 fit'),
  ]),
  'verify-application': rungs('verify-application', [
    check(8, 'Balance of an account', ['HTTP', '1.1'], 96, '200, as expected'),
  ]),
  'gate-promote': { summary: summaryOf('gate-promote') },
  promote: promotion,
  cutover,
  validate: validation,
  'measure-loss': loss,
  'protect-again': backup,
};
