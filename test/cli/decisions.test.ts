/** approve, deny, retry, abort and status against real runs. */
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { permanent } from '../support/toy-world.js';

let world: CliTestWorld;

beforeAll(async () => {
  world = await openCliWorld();
});
afterAll(() => world.close());
beforeEach(() => world.toy.behave.clear());

const waitsFor = (gate: string, system: string) =>
  world.musterUntil(
    ({ code, stdout }) =>
      code === 3 && JSON.parse(stdout).run.openDecisions.some((open: { gate: string }) => open.gate === gate),
    'status',
    system,
    '--json',
  );

test('a run is led from the command line to its end', async () => {
  const { system, runId } = await world.start();
  await waitsFor('point', system);

  const seen = await world.muster('status', system);
  expect(seen.code).toBe(3);
  expect(seen.stdout).toContain('WAITS FOR lead');
  expect(seen.stdout).toContain('This point?');
  expect(seen.stdout).toContain(`muster approve ${system} point --by NAME`);

  const { run } = JSON.parse((await world.muster('status', system, '--json')).stdout);
  expect(run.forecast).toMatchObject({
    uncountedPeople: ['gate-point', 'gate-promote'],
    byBudget: expect.arrayContaining(['cutover']),
    components: { database: { backAt: expect.stringMatching(/Z$/) } },
    steps: { propose: { medianMs: 0, worstMs: 0 }, cutover: { medianMs: 60_000, worstMs: 60_000 } },
  });
  // Fence, promotion and cutover are still to come, at a minute each.
  expect(Date.parse(run.forecast.backAt) - Date.parse(run.asOf)).toBeGreaterThanOrEqual(180_000);

  const approved = await world.muster('approve', system, 'point', '--by', 'ada', '--reason', 'looked at it');
  expect(approved).toMatchObject({ code: 0, stderr: '' });
  expect(approved.stdout).toContain('point: approved by ada. fences');

  await waitsFor('promote', system);
  const json = await world.muster('approve', system, 'promote', '--by', 'ada', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({
    accepted: true,
    on: 'promote',
    choice: 'approve',
    by: 'ada',
    runId,
  });

  const ended = await world.musterUntil(({ stdout }) => stdout.includes('RECOVERED'), 'status', system);
  expect(ended.code).toBe(0);
});

test('what waits is shown when no gate is named, and nothing is sent', async () => {
  const { system } = await world.start();
  await waitsFor('point', system);
  const outcome = await world.muster('approve', system, '--by', 'ada');
  expect(outcome.code).toBe(2);
  expect(outcome.stdout).toMatch(/WAITS FOR lead[\s\S]*This point\?[\s\S]*proposal +propose of noon/);
  expect(outcome.stderr).toContain('point');
  expect((await world.muster('status', system)).code).toBe(3);
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('refusals say why and what is possible now', async () => {
  const { system } = await world.start();
  await waitsFor('point', system);
  const stranger = await world.muster('approve', system, 'point', '--by', 'mallory');
  expect(stranger.code).toBe(2);
  expect(stranger.stderr).toContain('mallory is not on the roster');
  expect(stranger.stderr).toContain(`muster approve ${system} point --by NAME`);

  const nobody = await world.muster('approve', system, 'point');
  expect(nobody.code).toBe(2);
  expect(nobody.stderr).toContain('--by');

  const closed = await world.muster('approve', system, 'promote', '--by', 'ada');
  expect(closed.code).toBe(2);
  expect(closed.stderr).toContain('promote does not wait for a decision yet');

  const silent = await world.muster('deny', system, 'point', '--by', 'ada');
  expect(silent.code).toBe(2);
  expect(silent.stderr).toContain('--reason');

  const unknown = await world.muster('approve', 'nosuch', 'point', '--by', 'ada');
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('no run of nosuch');
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('a denial keeps the gate open and its reason is shown', async () => {
  const { system } = await world.start();
  await waitsFor('point', system);
  const denied = await world.muster(
    'deny',
    system,
    'point',
    '--by',
    'ada',
    '--reason',
    'the amount is wrong already',
  );
  expect(denied.code).toBe(0);
  const seen = await world.muster('status', system);
  expect(seen.code).toBe(3);
  expect(seen.stdout).toContain('Denied by ada: the amount is wrong already');
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('a step that failed is shown with what to do, and tried again', async () => {
  let broken = true;
  world.toy.behave.set('verify', () => {
    if (broken) throw permanent('a page is damaged');
    return 'verified';
  });
  const { system } = await world.start();
  const failed = await world.musterUntil(({ stdout }) => stdout.includes('FAILED verify'), 'status', system);
  expect(failed.code).toBe(3);
  expect(failed.stdout).toMatch(
    /a page is damaged[\s\S]*Next: Mend it\.[\s\S]*muster retry toy-\S+ verify --by NAME/,
  );
  broken = false;
  const retried = await world.muster('retry', system, 'verify', '--by', 'ada', '--reason', 'mended');
  expect(retried).toMatchObject({ code: 0, stderr: '' });
  const after = await world.musterUntil(({ stdout }) => /done +verify/.test(stdout), 'status', system);
  expect(after.stdout).not.toContain('FAILED');
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('an abort says what it undoes, and a run that was aborted has exit code 1', async () => {
  const { system } = await world.start();
  await waitsFor('point', system);
  const aborted = await world.muster('abort', system, '--by', 'ada', '--reason', 'false alarm');
  expect(aborted.code).toBe(0);
  expect(aborted.stdout).toContain('undoes: tear down');
  const ended = await world.musterUntil(({ stdout }) => stdout.includes('ABORTED'), 'status', system);
  expect(ended.code).toBe(1);
  expect(ended.stdout).toContain('false alarm');
  const late = await world.muster('approve', system, 'point', '--by', 'ada');
  expect(late.code).toBe(2);
});

test('past the point of no return an abort is refused, and it is said what is possible', async () => {
  world.toy.behave.set('protect', () => {
    throw permanent('no room');
  });
  const { system } = await world.start();
  for (const gate of ['point', 'promote']) {
    await waitsFor(gate, system);
    await world.muster('approve', system, gate, '--by', 'ada');
  }
  await world.musterUntil(({ stdout }) => stdout.includes('FAILED protect'), 'status', system);
  const late = await world.muster('abort', system, '--by', 'ada', '--reason', 'too late');
  expect(late.code).toBe(2);
  expect(late.stderr).toMatch(
    /point of no return has passed[\s\S]*Possible now:[\s\S]*muster retry \S+ protect --by NAME[\s\S]*muster skip \S+ protect/,
  );
  expect(late.stderr).not.toContain('muster abort');
  const skipped = await world.muster('skip', system, 'protect', '--by', 'ada', '--reason', 'taken by hand');
  expect(skipped.stdout).toContain('Skipping protect: there is no fresh backup.');
});

test('status without a system shows every active run', async () => {
  const [one, other] = [await world.start(), await world.start('drill')];
  const both = await world.musterUntil(
    ({ stdout }) => stdout.includes(one.system) && stdout.includes(`muster approve ${other.system} point`),
    'status',
  );
  expect(both.code).toBe(3);
  expect(both.stdout).toContain('DRILL');
  expect(both.stdout).toContain(`muster approve ${other.system} point --by NAME [--point TIME] --mode drill`);
  const json = JSON.parse((await world.muster('status', '--json')).stdout);
  expect(json.runs.map((run: { system: string }) => run.system)).toEqual(
    expect.arrayContaining([one.system, other.system]),
  );
  for (const { system } of [one, other])
    await world.muster('abort', system, '--by', 'ada', '--reason', 'end');
});
