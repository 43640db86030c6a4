/** The plan of Payymo's corruption recovery as data, for tests of what reads plans and runs. */
import type { Effect, GateDocument, PlanDocument, StepDocument, StepKind } from '../../src/model/plan.js';

const s = 1_000;
const min = 60 * s;
const h = 60 * min;

interface Rest {
  readonly restores?: readonly string[];
  readonly pointOfNoReturn?: boolean;
  readonly undo?: string;
  readonly gate?: GateDocument;
}

function step(
  name: string,
  title: string,
  kind: StepKind,
  effect: Effect,
  needs: readonly string[],
  budgetMs: number,
  rest: Rest = {},
): StepDocument {
  return {
    name,
    title,
    kind,
    effect,
    needs,
    budgetMs,
    restores: [],
    pointOfNoReturn: false,
    commands: [],
    ...rest,
  };
}

const ladder = [
  'verify-repository',
  'verify-files',
  'verify-point',
  'verify-structure',
  'verify-dump',
  'verify-invariants',
  'verify-application',
];

export const payymoPlan: PlanDocument = {
  scenario: 'corruption',
  system: 'payymo',
  title: 'Payymo payments ledger: back to the newest state before the damage',
  component: 'database',
  rtoMs: 6 * h,
  components: {
    'core-api': { rtoMs: 4 * h },
    database: { rtoMs: 6 * h },
    'web-interface': { rtoMs: 8 * h },
  },
  serviceRestoredBy: 'validate',
  changeables: [{ name: 'point', step: 'propose-point', allowed: 'a moment, ISO 8601 with a zone' }],
  steps: [
    step('assess', 'Assess the damage', 'work', 'none', [], 5 * min),
    step('propose-point', 'Propose the recovery point', 'work', 'none', ['assess'], 2 * min),
    step('gate-point', 'Approve the recovery point', 'gate', 'none', ['propose-point'], 15 * min, {
      gate: {
        gate: 'point',
        roles: ['database-lead'],
        approvals: 1,
        from: 'any',
        requester: 'counts',
        secondFactor: 'none',
        expiresMs: 15 * min,
        atExpiry: 'remind',
        escalateTo: [],
        changes: ['point'],
      },
    }),
    step('lower-dns-ttl', 'Lower the DNS TTL', 'work', 'production', ['assess'], 2 * min, {
      undo: 'sets the TTL of db.payymo.test back to 60 s',
    }),
    step('fence-primary', 'Fence the damaged primary', 'fence', 'production', ['gate-point'], 5 * min, {
      undo: 'lifts the fence: the damaged primary takes writes again',
    }),
    step(
      'preserve-damaged',
      'Preserve the damaged cluster',
      'work',
      'production',
      ['fence-primary'],
      20 * min,
      {
        undo: 'returns the damaged cluster from quarantine',
      },
    ),
    step(
      'provision-target',
      'Provision the target',
      'work',
      'sandbox',
      ['assess', 'propose-point'],
      10 * min,
      {
        undo: 'destroys the target that this run made',
      },
    ),
    step(
      'restore',
      'Restore the database',
      'work',
      'sandbox',
      ['provision-target', 'propose-point'],
      30 * min,
    ),
    step(
      'verify-repository',
      'Rung 1: backup and WAL',
      'verification',
      'none',
      ['provision-target', 'propose-point'],
      15 * min,
    ),
    step(
      'verify-files',
      'Rungs 2 and 3: control file and checksums',
      'verification',
      'sandbox',
      ['restore'],
      10 * min,
    ),
    step(
      'verify-point',
      'Rung 4: the point reached',
      'verification',
      'sandbox',
      ['restore', 'verify-files'],
      2 * min,
    ),
    step(
      'verify-structure',
      'Rung 5: heap and indexes',
      'verification',
      'sandbox',
      ['verify-point'],
      20 * min,
    ),
    step('verify-dump', 'Rung 6: a full dump', 'verification', 'sandbox', ['verify-point'], 20 * min),
    step(
      'verify-invariants',
      'Rung 7: invariants',
      'verification',
      'sandbox',
      ['verify-point', 'assess'],
      10 * min,
    ),
    step(
      'verify-application',
      'Rung 8: the application',
      'verification',
      'sandbox',
      ['verify-point'],
      10 * min,
    ),
    step(
      'gate-promote',
      'Approve the promotion',
      'gate',
      'none',
      ['fence-primary', 'preserve-damaged', ...ladder],
      15 * min,
      {
        gate: {
          gate: 'promote',
          roles: ['technical-director'],
          approvals: 1,
          from: 'any',
          requester: 'counts',
          secondFactor: 'none',
          expiresMs: 15 * min,
          atExpiry: 'escalate',
          escalateTo: ['incident-commander'],
          changes: [],
        },
      },
    ),
    step(
      'promote',
      'Promote the recovered copy',
      'promotion',
      'production',
      ['gate-promote', ...ladder],
      2 * min,
      {
        pointOfNoReturn: true,
      },
    ),
    step('cutover', 'Cut DNS over', 'cutover', 'production', ['promote', 'lower-dns-ttl'], 5 * min),
    step(
      'validate',
      'Validate with real payments',
      'verification',
      'production',
      ['promote', 'cutover'],
      10 * min,
      {
        restores: ['core-api', 'database', 'web-interface'],
      },
    ),
    step(
      'measure-loss',
      'Measure what was lost',
      'work',
      'none',
      ['propose-point', 'fence-primary', 'validate'],
      5 * min,
    ),
    step('protect-again', 'Take a fresh backup', 'work', 'production', ['validate'], 30 * min),
    step('report', 'Write the report', 'work', 'none', ['measure-loss', 'protect-again'], 2 * min),
  ],
};
