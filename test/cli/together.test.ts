/** Several systems begun, watched and approved together, as people do it: in a namespace of Temporal of its own. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { LostPrimary, MusterActivities, RecoveryPoint } from '../../activities/contract.js';
import { waitFor } from '../../lab/wait.js';
import type { RecoverAllView } from '../../src/model/recover-all.js';
import { TASK_QUEUE } from '../../src/model/task-queue.js';
import { dataConverterFor } from '../../src/temporal/codec-converter.js';
import { ensureSearchAttributes } from '../../src/temporal/search-attributes.js';
import { type KeyFolder, keyFolder } from '../support/people.js';
import { IN_CLEAR, sharedTemporal, testBundle } from '../support/temporal.js';
import { alive } from '../support/toy-world.js';
import { type Outcome, runMuster } from './run-muster.js';

type ProofInput = Parameters<MusterActivities['verifyProof']>[0];

const namespace = `together-${randomUUID().slice(0, 8)}`;
const SCENARIO = 'infrastructureFailure';
const proofs: ProofInput[] = [];
let folder: string;
let keys: KeyFolder;
let env: Record<string, string>;
let stop: () => Promise<void>;

const POINT: RecoveryPoint = {
  time: '2026-03-01T02:59:39.871001Z',
  asked: 'newest',
  ...{ systemIdentifier: '7', timeline: 1, usableRepositories: [1], walSegments: 3, walEnd: '0/5000000' },
  backup: {
    ...{ label: '20260301-010000F', repository: 1, type: 'full', stoppedAt: '2026-03-01T01:00:00Z' },
    ...{ databaseBytes: 1, walStart: '0/1000000' },
  },
  loses: {},
  summary: 'a point',
};

/** As far as the first gate; the copy is provisioned for as long as nobody calls the run off. */
const activities = {
  lookAtLost: async (): Promise<LostPrimary> => ({ answers: false, summary: 'silent' }),
  proposeNewest: async () => POINT,
  provisionTarget: () => alive(Context.current().cancelled),
  verifyRepository: () => alive(Context.current().cancelled),
  verifyProof: async (input: ProofInput) => {
    proofs.push(input);
    return {
      accepted: true,
      methods: ['ed25519'],
      used: [`sig:${input.proof?.signature}`],
      summary: 'looked at',
    };
  },
  fencePrimary: async () => Promise.reject(new Error('nobody gets that far')),
  ...Object.fromEntries(
    [
      'appendJournal',
      'writeReport',
      'keepRun',
      'destroyTarget',
      'liftFence',
      'lowerTtl',
      'restoreTtl',
      'sendNotice',
    ].map((name) => [name, async () => ({ summary: name })]),
  ),
  readProgress: async () => ({ summary: 'looked', steps: {} }),
};

async function writeRunbook(system: string, change: (text: string) => string): Promise<void> {
  const text = (await readFile('runbooks/payymo.yaml', 'utf8')).replace(
    'system: payymo',
    `system: ${system}`,
  );
  await writeFile(join(folder, `${system}.yaml`), change(text));
}

const muster = (...args: string[]): Promise<Outcome> => runMuster(args, { env });
const standing = async () => JSON.parse((await muster('status', '--all', '--json')).stdout) as RecoverAllView;

async function until(what: string, condition: (view: RecoverAllView) => boolean): Promise<RecoverAllView> {
  let seen: RecoverAllView | undefined;
  await waitFor({ what, deadlineMs: 30_000, pollMs: 200 }, async () => {
    seen = await standing();
    if (!condition(seen))
      throw new Error(JSON.stringify(seen.systems.map(({ system, state, waits }) => [system, state, waits])));
  });
  return seen as RecoverAllView;
}

beforeAll(async () => {
  const made = keyFolder();
  const { file, publicKey } = made.sshKey('ed25519');
  keys = made;
  folder = await mkdtemp(join(tmpdir(), 'muster-together-'));
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { address } = await sharedTemporal();
  env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml',
    MUSTER_RUNBOOKS: folder,
    MUSTER_KEY: file,
  };
  // Somebody whose key is at hand.
  const lead = (text: string) => text.replace(/ssh-ed25519 \S+ database-lead/, publicKey.trim());
  await writeRunbook('alpha', (text) => lead(text).replace('tier: 1', 'tier: 2'));
  await writeRunbook('beta', (text) => lead(text).replace('tier: 1', 'tier: 2\ndependsOn: [alpha]'));
  await writeRunbook('gamma', lead);
  await writeFile(join(folder, 'broken.yaml'), 'system: broken\n');
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  await waitFor({ what: 'the namespace', deadlineMs: 30_000, pollMs: 200 }, async () => {
    await connection.workflowService.describeNamespace({ namespace });
    await ensureSearchAttributes(connection, namespace);
  });
  const native = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    ...{ connection: native, namespace, taskQueue: TASK_QUEUE, activities },
    workflowBundle: await testBundle(),
    dataConverter: await dataConverterFor(IN_CLEAR),
    maxHeartbeatThrottleInterval: '200 ms',
    // One elsewhere looks itself whether it has what it needs.
    identity: 'muster@elsewhere:1',
  });
  const running = worker.run();
  stop = async () => {
    worker.shutdown();
    await running;
    await native.close();
    await connection.close();
  };
}, 90_000);

afterAll(async () => {
  await stop?.();
  keys?.remove();
  await rm(folder, { recursive: true, force: true });
});

it('begins what can be begun, and says what is left out', async () => {
  const alone = await muster('recover', SCENARIO, 'gamma', '--by', 'on-call', '--yes', '--no-watch');
  expect(alone).toMatchObject({ code: 0 });
  const begun = await muster(
    'recover',
    SCENARIO,
    '--all',
    '--by',
    'on-call',
    '--yes',
    '--no-watch',
    '--json',
  );
  expect(begun).toMatchObject({ code: 0 });
  const { systems, leftOut } = JSON.parse(begun.stdout) as {
    systems: readonly { system: string }[];
    leftOut: readonly { system: string; why: string }[];
  };
  expect(systems.map(({ system }) => system)).toEqual(['alpha', 'beta']);
  expect(leftOut.map(({ system }) => system).sort()).toEqual(['broken', 'gamma']);
  expect(leftOut.find(({ system }) => system === 'gamma')?.why).toContain('active real run');
}, 60_000);

it('shows a line a system: what works, what waits for whom, what has not begun', async () => {
  const seen = await until('alpha waits at its gate', ({ systems }) => systems[0]?.waits.length === 1);
  // It still works on its copy, and beta depends on it.
  expect(seen.systems.map(({ state, because }) => [state, because])).toEqual([
    ['running', undefined],
    ['pending', 'after alpha'],
  ]);
  const { code, stdout } = await muster('status', '--all');
  expect(code).toBe(3);
  expect(stdout).toMatch(/alpha +2 +works +\d+:\d\d of 6 h +point: database-lead/);
  expect(stdout).toMatch(/beta +2 +next .*after alpha/);
  expect(stdout).toContain('muster approve --all point --by NAME');
}, 60_000);

it('gives one word at a gate to every run that waits there, signed for each', async () => {
  await until('alpha waits at its gate', ({ systems }) => systems[0]?.waits[0]?.on === 'point');
  await waitFor({ what: 'gamma waits too', deadlineMs: 30_000, pollMs: 200 }, async () => {
    expect((await muster('status', 'gamma')).code).toBe(3);
  });
  const given = await muster('approve', '--all', 'point', '--by', 'database-lead', '--yes', '--json');
  const { decisions } = JSON.parse(given.stdout) as {
    decisions: readonly { system: string; accepted: boolean; text: string }[];
  };
  expect(decisions.map(({ system, accepted }) => [system, accepted]).sort()).toEqual([
    ['alpha', true],
    ['gamma', true],
  ]);
  expect(given.code).toBe(0);
  const signatures = new Set(proofs.map(({ proof }) => proof?.signature));
  expect(signatures.size).toBe(2);
  expect(new Set(proofs.map(({ at }) => at.runId)).size).toBe(2);
  const again = await muster('approve', '--all', 'promote', '--by', 'database-lead', '--yes');
  expect(again).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('No run waits at the gate promote'),
  });
}, 60_000);

it('goes on with the next where one is called off, and ends with how each ended', async () => {
  const abort = async (system: string) =>
    expect(await muster('abort', system, '--by', 'on-call', '--reason', 'a test', '--yes')).toMatchObject({
      code: 0,
    });
  await abort('alpha');
  await abort('gamma');
  await until('beta has begun', ({ systems }) => systems[1]?.waits[0]?.on === 'point');
  await abort('beta');
  const ended = await until('all is over', ({ endedAt }) => endedAt !== undefined);
  expect(ended.systems.map(({ state }) => state)).toEqual(['aborted', 'aborted']);
  expect((await muster('watch', '--all')).stdout).toMatch(/0 OF 2 RECOVERED/);
}, 90_000);

it.each([
  [['recover', SCENARIO, 'alpha', 'beta', '--at-once', '0'], '--at-once'],
  [['recover', SCENARIO, '--all', '--mode', 'drill'], 'for real only'],
  [['recover', SCENARIO, 'alpha', '--all'], 'Either all'],
  [['recover', 'flood', '--all'], 'no scenario flood'],
  [['approve', '--all', 'point', '--by', 'database-lead', '--target', 'east'], 'nothing is changed'],
])('refuses %j, exit code 2', async (args, said) => {
  const { code, stderr } = await muster(...args);
  expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
});
