/** Several people at a gate, withdrawal, override, hold, hand-over, skip and another input, from the command line. */
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunView } from '../../src/model/run.js';
import { newKeyPair } from '../../src/people/keys.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { permanent } from '../support/toy-world.js';

let world: CliTestWorld;
beforeAll(async () => {
  world = await openCliWorld();
});
afterAll(() => world.close());
beforeEach(() => world.toy.behave.clear());

async function viewOf(system: string, satisfied: (view: RunView) => boolean): Promise<RunView> {
  const { stdout } = await world.musterUntil(
    (outcome) => satisfied(JSON.parse(outcome.stdout).run),
    'status',
    system,
    '--json',
  );
  return JSON.parse(stdout).run;
}
const waitsAt = (gate: string, system: string) =>
  viewOf(system, ({ openDecisions }) => openDecisions?.some((open) => (open.gate ?? open.step) === gate));

const end = (system: string) => world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');

test('a gate of two people tells whose word is missing; a word is taken back, and given again', async () => {
  const { system } = await world.start('real', { point: { approvals: 2 } });
  await waitsAt('point', system);
  const first = await world.muster('approve', system, 'point', '--by', 'ada');
  expect(first.stdout).toContain('Still missing: one more lead');
  const seen = await world.muster('status', system);
  expect(seen.stdout).toContain('WAITS FOR one more lead (1 of 2 given)');
  expect(seen.stdout).toMatch(/approved +ada \(lead; no proof asked\) \d\d:\d\d:\d\d UTC/);
  expect(seen.stdout).toContain(`muster withdraw ${system} point --by NAME`);

  const twice = await world.muster('approve', system, 'point', '--by', 'ada', '--reason', 'again');
  expect(twice).toMatchObject({ code: 2 });
  expect(twice.stderr).toContain('ada has approved point already');

  const foreign = await world.muster('withdraw', system, 'point', '--by', 'cy');
  expect(foreign.code).toBe(2);
  expect(foreign.stderr).toContain('nothing to withdraw');
  const back = await world.muster('withdraw', system, 'point', '--by', 'ada', '--json');
  expect(JSON.parse(back.stdout)).toMatchObject({ accepted: true, choice: 'withdraw', on: 'point' });
  // The same command as before is another decision by now.
  await world.muster('approve', system, 'point', '--by', 'ada');
  await world.muster('approve', system, 'point', '--by', 'cy');
  await waitsAt('promote', system);
  await end(system);
});

test('an override says what is missing and who is told, and stays loud', async () => {
  const { system } = await world.start();
  await waitsAt('point', system);
  const refused = await world.muster('override', system, 'point', '--by', 'ada', '--reason', 'alone');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('breakGlass asks for incident-commander');

  const done = await world.muster(
    'override',
    system,
    'point',
    '--by',
    'dee',
    '--reason',
    'nobody else is there',
  );
  expect(done.code).toBe(0);
  expect(done.stdout).toMatch(
    /Overriding point opens it without lead[\s\S]*Missing: lead\.[\s\S]*Told at once: ada, bob, cy/,
  );
  expect(done.stdout).toContain('point: overridden, without the approval of lead');
  const seen = await world.muster('status', system);
  expect(seen.stdout.replaceAll(/\n +/g, ' ')).toMatch(
    /OVERRIDDEN +point by dee at .*, without the approval of lead: nobody else is there/,
  );
  await end(system);
});

test('a run is held and resumed, again and again; the hold is loud and the clock runs on', async () => {
  const { system } = await world.start();
  await waitsAt('point', system);
  const hold = ['hold', system, '--by', 'bob', '--reason', 'strange figures'];
  for (const round of [1, 2]) {
    const held = await world.muster(...hold);
    expect(held).toMatchObject({ code: 0, stderr: '' });
    expect(held.stdout).toContain('nothing new begins, and the clock runs on');
    const seen = await world.muster('status', system);
    expect(seen.stdout).toMatch(/HELD +by bob since .*: strange figures\n +the clock runs on/);
    expect(seen.stdout).toContain(`muster resume ${system} --by NAME`);
    if (round === 1) {
      const again = await world.muster(...hold);
      expect(again).toMatchObject({ code: 2 });
      expect(again.stderr).toContain('bob holds the run already');
      const foreign = await world.muster('resume', system, '--by', 'bob');
      expect(foreign.code).toBe(2);
      expect(foreign.stderr).toContain('ada commands this run: bob cannot resume');
    }
    const resumed = await world.muster('resume', system, '--by', 'ada', '--json');
    expect(JSON.parse(resumed.stdout)).toMatchObject({ accepted: true, text: 'The run goes on.' });
    expect((await world.muster('status', system)).stdout).not.toContain('HELD');
  }
  const idle = await world.muster('resume', system, '--by', 'ada');
  expect(idle.code).toBe(2);
  expect(idle.stderr).toContain('The run is not held');
  await end(system);
});

test('the command is handed over, and the one before does not command any more', async () => {
  const { system } = await world.start();
  await waitsAt('point', system);
  const stranger = await world.muster('hand-over', system, '--by', 'ada', '--to', 'mallory');
  expect(stranger.code).toBe(2);
  expect(stranger.stderr).toContain('mallory is not on the roster');
  const missing = await world.muster('hand-over', system, '--by', 'ada');
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('--to');

  const handed = await world.muster(
    'hand-over',
    system,
    '--by',
    'ada',
    '--to',
    'cy',
    '--reason',
    'end of shift',
  );
  expect(handed.stdout).toContain('cy commands the run from now on');
  expect((await world.muster('status', system)).stdout).toContain('commander cy');
  const late = await world.muster('abort', system, '--by', 'ada', '--reason', 'mine');
  expect(late.code).toBe(2);
  expect(late.stderr).toContain('cy commands this run');
  await world.muster('abort', system, '--by', 'cy', '--reason', 'end of the test');
});

test('a step that failed is skipped where the plan allows it only, and tried again with another input', async () => {
  world.toy.behave.set('verify', (call) => {
    if (call.saw.includes('noon')) throw permanent('a page is damaged');
    return 'verified';
  });
  const { system } = await world.start();
  await waitsAt('verify', system);
  const shown = await world.muster('status', system);
  expect(shown.stdout).toContain(`muster retry ${system} verify --by NAME [--point TIME]`);
  const skipped = await world.muster('skip', system, 'verify', '--by', 'ada', '--reason', 'in a hurry');
  expect(skipped.code).toBe(2);
  expect(skipped.stderr).toContain('verify cannot be skipped');

  const vague = await world.muster('retry', system, 'verify', '--by', 'ada', '--point', 'a while ago');
  expect(vague).toMatchObject({ code: 2, stderr: expect.stringContaining('--point') });
  const two = await world.muster(
    'retry',
    system,
    'verify',
    '--by',
    'ada',
    '--point',
    '2026-01-01T02:59:00Z',
    '--target',
    'east',
  );
  expect(two).toMatchObject({ code: 2, stderr: expect.stringContaining('One input is changed at a time') });
  const other = await world.muster('retry', system, 'verify', '--by', 'ada', '--target', 'east');
  expect(other).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('target cannot be changed at verify'),
  });

  const point = '2026-01-01T02:58:30.000Z';
  const retried = await world.muster('retry', system, 'verify', '--by', 'ada', '--change', `point=${point}`);
  expect(retried).toMatchObject({ code: 0, stderr: '' });
  const view = await viewOf(system, ({ steps }) =>
    steps.some(({ name, status }) => name === 'verify' && status === 'done'),
  );
  expect(view.steps.find(({ name }) => name === 'build')?.summary).toContain(point);
  await end(system);
});

test('a decision carries the plan that was seen and where it came from', async () => {
  const { system } = await world.start();
  const seen = await waitsAt('point', system);
  await world.muster('approve', system, 'point', '--by', 'ada');
  const { steps, planHash } = await waitsAt('promote', system);
  expect(planHash).toBe(seen.planHash);
  const [decision] = steps.find(({ name }) => name === 'gate-point')?.decisions ?? [];
  expect(decision?.origin).toEqual({
    agent: `muster 0.0.0 on ${process.platform}`,
    address: expect.stringMatching(/^[0-9a-f.:]+$/),
  });
  await end(system);
});

describe('who proves who they are', () => {
  const { privateKey, publicKey } = newKeyPair();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-keys-'));
    writeFileSync(join(folder, 'eve.pem'), privateKey, { mode: 0o600 });
    world.toy.verify = async ({ proof, statement }) => {
      const signature = Buffer.from(proof?.signature ?? '', 'base64');
      const accepted = verify(null, Buffer.from(statement), createPublicKey(publicKey), signature);
      return {
        accepted,
        refusal: 'The signature is not good.',
        methods: ['ed25519'],
        used: [`sig:${proof?.signature}`],
        summary: 'looked at',
      };
    };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('signs with the key, and is told what is missing without', async () => {
    const { system } = await world.start();
    await waitsAt('point', system);
    const without = await world.muster('approve', system, 'point', '--by', 'eve');
    expect(without.code).toBe(2);
    expect(without.stderr).toMatch(/The roster asks for a signature[\s\S]*--key/);
    const key = join(folder, 'eve.pem');
    const approved = await world.muster('approve', system, 'point', '--by', 'eve', '--key', key, '--json');
    expect(approved.code).toBe(0);
    expect(approved.stdout).not.toContain('signature');
    const { steps } = await waitsAt('promote', system);
    const gate = steps.find(({ name }) => name === 'gate-point');
    expect(gate?.decisions[0]).toMatchObject({ by: 'eve', provenBy: ['ed25519'] });
    await end(system);
  });
});
