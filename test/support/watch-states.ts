/** States of a run that a commander may see, each with what its running steps report and the moment of looking. */
import type { Progress, RunView } from '../../src/model/run.js';
import type { StepActivity } from '../../src/temporal/progress.js';
import {
  at,
  finishedRun,
  openPoint,
  promoteFacts,
  restoreProgress,
  steps,
  troubledRun,
  waitingRun,
} from './run-view.js';

export interface SeenState {
  readonly view: RunView;
  readonly activity: Readonly<Record<string, StepActivity>>;
  readonly now: number;
  readonly silence?: { readonly what: string; readonly sinceMs: number };
}

const working = (progress: Progress, attempt = 1): StepActivity => ({ attempt, progress });

const early: SeenState = {
  view: {
    ...waitingRun,
    abortDoes: 'ends the run; nothing has to be undone',
    asOf: at('03:04:04.0'),
    clock: { ...waitingRun.clock, workingMs: 1_900 },
    steps: steps({ assess: { from: '03:04:02.4', workingMs: 1_600 } }),
    openDecisions: [],
  },
  activity: {
    assess: working({ done: 104_000, total: 312_400, unit: 'rows', text: 'checking ledger.transactions' }),
  },
  now: Date.parse(at('03:04:05.0')),
};

const abortDoes =
  'ends the run and undoes: destroys the target that this run made; sets the TTL of db.payymo.test back to 60 s';

const restoring: SeenState = {
  view: { ...waitingRun, abortDoes },
  activity: { restore: working(restoreProgress) },
  now: Date.parse(at('03:05:25.0')),
};

const beforePromotion = Object.fromEntries(
  finishedRun.steps
    .filter(
      (step) =>
        !['promote', 'cutover', 'validate', 'measure-loss', 'protect-again', 'report'].includes(step.name),
    )
    .map((step) => [step.name, step]),
);

/** The view of the finished run in which only some steps have come as far as they did. */
function cutAt(
  changes: Readonly<Record<string, Partial<RunView['steps'][number]>>>,
  kept: readonly string[],
): RunView['steps'] {
  const pending = steps({});
  return finishedRun.steps.map((step, index) => {
    const change = changes[step.name];
    if (change !== undefined) {
      const { endedAt: _over, summary: _said, ...rest } = step;
      return { ...rest, ...change };
    }
    return kept.includes(step.name) ? step : (pending[index] as RunView['steps'][number]);
  });
}

/** Two people are awaited at once: a gate, and somebody to look at a step that failed. */
const failed: SeenState = {
  view: {
    ...waitingRun,
    abortDoes,
    status: 'waiting',
    asOf: at('03:07:10.0'),
    clock: { ...waitingRun.clock, workingMs: 106_000, waitingMs: 82_000 },
    steps: cutAt(
      {
        'gate-point': { status: 'waiting', waitingMs: 182_000, workingMs: 0, decisions: [] },
        restore: {
          status: 'waiting',
          workingMs: 95_000,
          waitingMs: 82_000,
          failure: {
            code: 'BackupDamaged',
            message:
              'File base/16401/2619 of backup 20261121-013000F does not have the checksum that its manifest names; repository 1 (S3 us-west-2) is damaged at that place.',
            next: 'Retry: it takes repository 2 (east), where this file is whole.',
            at: at('03:05:48.0'),
            attempts: 1,
          },
        },
      },
      ['assess', 'propose-point', 'lower-dns-ttl', 'provision-target', 'verify-repository'],
    ),
    openDecisions: [
      openPoint,
      {
        step: 'restore',
        question: 'restore failed',
        roles: [],
        since: at('03:05:48.0'),
        choices: [
          { choice: 'retry', consequence: 'does restore once more; what is good of it is kept' },
          { choice: 'abort', consequence: 'ends the run and undoes: provision-target' },
        ],
        facts: [{ label: 'code', value: 'BackupDamaged' }],
        approvals: [],
        secondFactor: false,
        changes: {},
      },
    ],
    warnings: [{ at: at('03:07:08.0'), text: 'gate point: 50 % of 15 min used; database-lead is awaited' }],
  },
  activity: {},
  now: Date.parse(at('03:07:11.0')),
};

const promoting: SeenState = {
  view: {
    ...waitingRun,
    abortDoes,
    status: 'waiting',
    asOf: at('03:07:20.0'),
    clock: { ...waitingRun.clock, workingMs: 158_000, waitingMs: 40_000 },
    steps: cutAt(
      { 'gate-promote': { status: 'waiting', waitingMs: 39_600, workingMs: 0, decisions: [] } },
      Object.keys(beforePromotion),
    ),
    openDecisions: [
      {
        step: 'gate-promote',
        gate: 'promote',
        question: 'Promote the recovered copy? After this there is no way back.',
        roles: ['technical-director'],
        since: at('03:06:40.4'),
        expiresAt: at('03:21:40.4'),
        choices: [
          { choice: 'approve', consequence: 'promotes the copy at west-b: it takes the writes from then on' },
          { choice: 'deny', consequence: 'nothing is promoted; the gate stays open' },
          { choice: 'abort', consequence: 'ends the run and undoes: fence, quarantine, target' },
        ],
        facts: promoteFacts,
        approvals: [],
        missing: 'technical-director',
        secondFactor: false,
        changes: {},
      },
    ],
  },
  activity: {},
  now: Date.parse(at('03:07:20.4')),
};

const cuttingOver: SeenState = {
  view: {
    ...waitingRun,
    asOf: at('03:08:05.0'),
    clock: { ...waitingRun.clock, workingMs: 161_000, waitingMs: 81_700 },
    steps: cutAt({ cutover: { status: 'running', workingMs: 900 } }, [
      ...Object.keys(beforePromotion),
      'promote',
    ]),
    openDecisions: [],
    pointOfNoReturnPassed: true,
  },
  activity: { cutover: { attempt: 2, lastFailure: 'Route 53 answered 503' } },
  now: Date.parse(at('03:08:07.0')),
};

const late: SeenState = {
  view: {
    ...waitingRun,
    abortDoes,
    asOf: at('06:55:00.0'),
    clock: { ...waitingRun.clock, workingMs: 13_850_000, waitingMs: 0 },
    warnings: [
      { at: at('03:19:12.0'), text: 'restore: 50 % of 30 min used' },
      { at: at('03:34:12.0'), text: 'restore: 100 % of 30 min used' },
      { at: at('06:02:11.0'), text: 'RTO: 50 % of 6 h used' },
    ],
    steps: cutAt({ restore: { status: 'running', workingMs: 13_848_000 } }, [
      'assess',
      'propose-point',
      'gate-point',
      'lower-dns-ttl',
      'provision-target',
      'verify-repository',
      'fence-primary',
      'preserve-damaged',
    ]),
    openDecisions: [],
  },
  activity: {
    restore: working(
      {
        done: 1_310_000_000_000,
        total: 2_100_000_000_000,
        unit: 'bytes',
        ratePerSecond: 61_000_000,
        text: 'copying files from repository 1',
      },
      3,
    ),
  },
  now: Date.parse(at('06:55:02.0')),
};

/** Held by somebody who is not in command, a word given of two, a gate overridden, a notice that nobody got, another server. */
const steered: SeenState = {
  ...promoting,
  view: {
    ...promoting.view,
    requestedBy: 'on-call engineer',
    commander: 'night lead',
    hold: {
      by: 'on-call database lead',
      reason: 'the processor sends figures that do not match ours, and asks for five minutes',
      since: at('03:07:02.0'),
    },
    overrides: [
      {
        on: 'point',
        by: ['on-call engineer', 'night lead'],
        reason: 'the database leads are on one aeroplane',
        at: at('03:06:31.2'),
        without: 'the approval of database-lead',
      },
    ],
    undelivered: [
      {
        notice: 'payymo-corruption-20261121-030402.7',
        kind: 'gate-opened',
        receiver: 'pager',
        state: 'waiting',
        at: at('03:06:41.0'),
        problem: 'events.pagerduty.example answered 503',
      },
    ],
    adopted: { by: 'night lead', at: at('03:06:05.0') },
    steps: promoting.view.steps.map((step) =>
      step.name === 'gate-promote' && step.gate !== undefined
        ? { ...step, gate: { ...step.gate, approvals: 2 } }
        : step,
    ),
    openDecisions: promoting.view.openDecisions.map((open) => ({
      ...open,
      question: `${open.question} Denied by board: no figures yet`,
      approvals: [
        {
          by: 'technical director',
          roles: ['technical-director'],
          at: at('03:06:58.0'),
          provenBy: ['totp', 'ssh'],
        },
      ],
      missing: 'one more technical-director',
      secondFactor: true,
      choices: [
        ...open.choices,
        { choice: 'withdraw', consequence: 'takes an own word back' },
        {
          choice: 'override',
          consequence:
            'opens it without one more technical-director; everybody is told (2 of incident-commander)',
        },
      ],
    })),
  },
};

const states: Readonly<Record<string, SeenState>> = {
  early,
  restoring,
  failed,
  promoting,
  'cutting-over': cuttingOver,
  late,
  silent: {
    ...restoring,
    now: Date.parse(at('03:05:37.0')),
    silence: { what: 'the worker of this run does not answer', sinceMs: 12_400 },
  },
  recovered: { view: finishedRun, activity: {}, now: Date.parse(at('03:15:00.0')) },
  aborted: { view: troubledRun, activity: {}, now: Date.parse(at('06:20:00.0')) },
};

/** What the engine offers about the whole run in such a state. */
function steeringOf({ hold, abortDoes, endedAt }: RunView): RunView['steering'] {
  if (endedAt !== undefined) return [];
  return [
    hold === undefined
      ? {
          choice: 'hold',
          consequence: 'what works goes on to its end, nothing new begins; the clock runs on',
        }
      : { choice: 'resume', consequence: 'whatever is ready begins' },
    { choice: 'hand-over', consequence: 'somebody else commands from then on' },
    ...(abortDoes === undefined ? [] : [{ choice: 'abort', consequence: abortDoes } as const]),
  ];
}

export const watchStates: Readonly<Record<string, SeenState>> = Object.fromEntries(
  Object.entries({ ...states, steered }).map(([name, state]) => [
    name,
    { ...state, view: { ...state.view, steering: steeringOf(state.view) } },
  ]),
);
