/** Steering with Temporal's own command line, as the pages say it and as the web interface offers it. */
import { readFile } from 'node:fs/promises';
import { findPrograms } from '../../lab/parts/lookup.js';
import { type Decision, decisionChoices } from '../../src/model/decision.js';
import type { RunView } from '../../src/model/run.js';
import { runTool } from '../../src/process.js';
import { malformation } from '../../workflows/engine/malformed.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';

let world: CliTestWorld;
let program: string;
beforeAll(async () => {
  world = await openCliWorld();
  program = (await findPrograms()).temporal;
});
afterAll(() => world.close());

/** @param rest of `temporal workflow` */
async function temporal(...rest: string[]) {
  const args = ['workflow', ...rest, '--address', world.env.TEMPORAL_ADDRESS ?? ''];
  return runTool(program, args, { timeoutMs: 20_000 });
}
const input = (decision: Decision) => ['--input', JSON.stringify(decision)];

async function waitsAt(gate: string, system: string): Promise<RunView> {
  const { stdout } = await world.musterUntil(
    ({ code, stdout }) => code === 3 && stdout.includes(`"gate":"${gate}"`),
    'status',
    system,
    '--json',
  );
  return JSON.parse(stdout).run;
}

test('what its web interface offers to send says what it is for', async () => {
  const { system, workflowId } = await world.start();
  await waitsAt('point', system);
  const handle = world.session.client.workflow.getHandle(workflowId);
  const { definition } = await handle.query<{
    definition: Record<string, { name: string; description?: string }[]>;
  }>('__temporal_workflow_metadata');
  const described = (kind: string) =>
    Object.fromEntries((definition[kind] ?? []).map(({ name, description }) => [name, description]));
  expect(described('queryDefinitions').status).toContain('Everything about the run');
  for (const kind of ['updateDefinitions', 'signalDefinitions']) {
    for (const choice of decisionChoices) expect(described(kind).decide).toContain(choice);
  }
  expect(described('signalDefinitions').preEmpt).toContain('real recovery');
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('an update answers or says why not, a signal is written down, and what comes twice counts once', async () => {
  const { system, workflowId } = await world.start();
  await waitsAt('point', system);
  const on = ['--workflow-id', workflowId, '--name', 'decide'];
  const update = (decision: Decision) => temporal('update', 'execute', ...on, ...input(decision));
  const approve = { on: 'point', choice: 'approve', by: 'ada' } as const;

  const stranger = await update({ ...approve, by: 'mallory' });
  expect(stranger.exitCode).not.toBe(0);
  expect(stranger.stderr).toContain('mallory is not on the roster');

  expect((await update(approve)).stdout).toContain('point: approved by ada. fences');
  const twice = await update(approve);
  expect(twice.exitCode).not.toBe(0);
  expect(twice.stderr).toContain('point is decided already: approved by ada, at');

  expect((await temporal('signal', ...on, ...input(approve))).exitCode).toBe(0);
  const noted = await world.musterUntil(
    ({ stdout }) => stdout.includes('A signal was refused. point is decided already'),
    'status',
    system,
    '--json',
  );
  expect(
    JSON.parse(noted.stdout).run.steps.filter((step: { decisions: unknown[] }) => step.decisions.length > 0),
  ).toHaveLength(1);

  await waitsAt('promote', system);
  const seen = await temporal('query', '--workflow-id', workflowId, '--type', 'status');
  expect(seen.stdout).toContain('openDecisions');
  await temporal('signal', ...on, ...input({ on: 'promote', choice: 'approve', by: 'ada' }));
  await world.musterUntil(({ stdout }) => stdout.includes('RECOVERED'), 'status', system);
  const late = await update({ on: 'run', choice: 'abort', by: 'ada', reason: 'too late' });
  expect(late.exitCode).not.toBe(0);
  // It may come while the run is being closed.
  expect(late.stderr).toMatch(/already completed|aborted by closing/);
});

test('every decision that the page shows is one', async () => {
  const page = await readFile('docs/commander.md', 'utf8');
  const shown = [...page.matchAll(/--input '([^']+)'/g)].map(
    ([, json]) => JSON.parse(json ?? '') as Decision,
  );
  expect(shown.length).toBeGreaterThan(5);
  for (const decision of shown) expect(malformation(decision)).toBeUndefined();
});
