/** The plan of an outage as it runs, with activities that only note what they are asked: who is promoted, and what it was verified by. */
import type { WaysOpen } from '../../activities/contract.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { Runbook } from '../../src/runbook/schema.js';
import type { Scenario } from '../../workflows/engine/plan.js';
import { providerOutageScenario } from '../../workflows/providerOutage.js';
import type { ToyParams } from '../support/toy-scenario.js';
import { openToyWorld, permanent, type ToyRun, type ToyWorld } from '../support/toy-world.js';

interface Call {
  readonly activity: string;
  /** Whatever names a site in the input. */
  readonly site: string;
  readonly input: Record<string, unknown>;
}

const PRIMARY = { systemIdentifier: '7000', timeline: 1, time: '2026-03-01T03:00:00.000001Z' };
const LOSES = { loses: { clients: { records: 2, windowMs: 900 } }, lossUnknown: [] };
const POINT = {
  ...{
    ...PRIMARY,
    ...LOSES,
    asked: 'newest',
    summary: 'the newest',
    walSegments: 2,
    walEnd: '00',
    walStart: '0/1',
  },
  backup: { label: '20260301-020000F', type: 'full', repository: 2 },
  usableRepositories: [2],
  through: { at: '2026-03-01T02:59:58Z', lsn: '0/5' },
};
const STATE = {
  ...PRIMARY,
  ...LOSES,
  site: 'standby',
  summary: 'it has all',
  lagBytes: 0,
  replayedLsn: '0/6',
};

let ways: WaysOpen;
const calls: Call[] = [];
const fails = new Map<string, string>();

const rungs = (...numbers: readonly number[]) => ({
  summary: `rungs ${numbers.join(', ')}`,
  checks: numbers.map((rung) => ({
    rung,
    title: 'sound',
    passed: true,
    tool: 'test',
    detail: '',
    durationMs: 1,
  })),
});
const ANSWERS: Record<string, () => object> = {
  lookAtLost: () => ({ answers: false, summary: 'silent' }),
  lookAtWays: () => ways,
  fencePrimary: () => ({
    token: 1,
    census: {},
    refusedWrite: { at: '', as: '', answer: 'refused' },
    summary: 'fenced',
  }),
  preserveDamaged: () => ({ directory: '/kept', bytes: 1, manifest: '', sha256: '', summary: 'kept' }),
  catchUpStandby: () => ({ ...PRIMARY, ...LOSES, lsn: '0/7', summary: 'paused at 0/7' }),
  verifyStandby: () => rungs(1, 2, 3, 4),
  verifyRepository: () => ({ ...rungs(1), lookedAt: [2] }),
  verifyPoint: () => rungs(4),
  verifyFiles: () => rungs(2, 3),
  verifyStructure: () => rungs(5),
  verifyDump: () => rungs(6),
  verifyInvariants: () => rungs(7),
  verifyApplication: () => rungs(8),
  restoreDatabase: () => ({ lsn: '0/5', repository: 2, summary: 'restored' }),
  measureLoss: () => ({ classes: {}, summary: 'measured' }),
};
const OTHERS = [
  ...['followAgain', 'provisionTarget', 'destroyTarget', 'deployApplication', 'makeBucket', 'reconcileFiles'],
  ...['lowerTtl', 'restoreTtl', 'cutOver', 'promote', 'validateService', 'protectAgain', 'liftFence'],
];

function noting(activity: string) {
  return async (input: Record<string, unknown>) => {
    const [at] = [input.target, input.standby].filter((one) => one !== undefined) as {
      readonly site: string;
    }[];
    calls.push({ activity, site: at?.site ?? String(input.to ?? input.site ?? ''), input });
    const failure = fails.get(activity);
    if (failure !== undefined) throw permanent(failure);
    return ANSWERS[activity]?.() ?? { summary: `${activity} done` };
  };
}

let world: ToyWorld;
let runbook: Runbook;
beforeAll(async () => {
  const names = [...Object.keys(ANSWERS), ...OTHERS];
  const loaded = await loadRunbook('runbooks/practice-hub.yaml');
  // Who begins a run of this world commands it.
  const ada = { name: 'ada', roles: ['operations'], contacts: [] };
  runbook = { ...loaded.runbook, people: [...loaded.runbook.people, ada] };
  world = await openToyWorld(Object.fromEntries(names.map((name) => [name, noting(name)])));
});
afterAll(() => world.worker.stop());
beforeEach(() => {
  calls.length = 0;
  fails.clear();
  ways = {
    ...PRIMARY,
    summary: 'the standby takes over',
    proposed: 'standby',
    standby: { site: 'standby', state: STATE, unfit: [] },
    restore: { site: 'east', point: POINT, problem: null },
  } as unknown as WaysOpen;
});

const begin = () => world.start({}, {}, providerOutageScenario as unknown as Scenario<ToyParams>, runbook);
const of = (activity: string) => calls.filter((call) => call.activity === activity);
const sites = (activity: string) => of(activity).map(({ site }) => site);
const approve = (run: ToyRun, on: string, by: string) => run.decide({ on, choice: 'approve', by });

async function toItsEnd(run: ToyRun): Promise<void> {
  await run.waitsFor('gate-promote');
  await approve(run, 'promote', 'technical-lead');
  expect((await run.result()).view.status).toBe('recovered');
}

/** What was promoted, where it stood, and the rungs that it had climbed. */
function promoted() {
  const [{ site, input } = { site: '', input: {} }] = of('promote');
  const { checks, restored } = input as { checks: { rung: number }[]; restored: { lsn: string } };
  return { site, lsn: restored.lsn, climbed: checks.map(({ rung }) => rung).sort() };
}
const ALL = [1, 2, 3, 4, 5, 6, 7, 8];

it('promotes the standby where it is fit, and touches no backup', async () => {
  const run = await begin();
  const seen = await run.waitsFor('gate-point');
  expect(seen.openDecisions[0]?.facts.map(({ label }) => label)).toEqual(
    expect.arrayContaining(['proposed', 'standby', 'lag', 'loses clients', 'by backup: recovery point']),
  );
  await approve(run, 'point', 'on-call');
  await toItsEnd(run);
  expect(promoted()).toEqual({ site: 'standby', lsn: '0/7', climbed: ALL });
  expect([sites('cutOver'), sites('deployApplication'), sites('protectAgain')]).toEqual([
    ...[['standby'], ['standby'], ['standby']],
  ]);
  expect(calls.map(({ activity }) => activity)).not.toContain('restoreDatabase');
}, 30_000);

it('restores a backup by itself where the standby is not fit, before anybody has approved', async () => {
  ways = { ...ways, proposed: 'east', standby: { site: 'standby', state: null, unfit: ['it is gone'] } };
  const run = await begin();
  const seen = await run.until(({ steps }) =>
    steps.some(({ name, status }) => name === 'verify-application' && status === 'done'),
  );
  expect(seen.openDecisions[0]?.facts).toContainEqual({
    label: 'STANDBY UNUSABLE',
    value: 'standby: it is gone',
  });
  expect(of('fencePrimary')).toEqual([]);
  const change = { target: 'standby' };
  expect(await run.refused({ on: 'point', choice: 'approve', by: 'on-call', change })).toBe(
    'The standby at standby cannot take over: it is gone.',
  );
  await approve(run, 'point', 'on-call');
  await toItsEnd(run);
  expect(promoted()).toEqual({ site: 'east', lsn: '0/5', climbed: ALL });
  expect(calls.map(({ activity }) => activity)).not.toContain('catchUpStandby');
}, 30_000);

it('turns to the backup when the standby turns out to be damaged: it is let go, fenced stays fenced', async () => {
  fails.set('verifyStandby', 'a page is bad');
  const run = await begin();
  await run.waitsFor('gate-point');
  await approve(run, 'point', 'on-call');
  await run.waitsFor('verify-standby');
  await run.decide({ on: 'verify-standby', choice: 'retry', by: 'ada', change: { target: 'east' } });
  await toItsEnd(run);
  expect(promoted()).toEqual({ site: 'east', lsn: '0/5', climbed: ALL });
  expect(sites('followAgain')).toEqual(['standby']);
  expect([of('fencePrimary').length, of('liftFence').length]).toEqual([1, 0]);
  expect(sites('deployApplication').at(-1)).toBe('east');
  expect(sites('cutOver')).toEqual(['east']);
}, 30_000);
