/** `muster decide`: chosen from at a terminal, printed anywhere else. */
import { runCli } from '../../src/cli/program.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { TestTerminal } from '../support/terminal.js';
import { permanent } from '../support/toy-world.js';

let world: CliTestWorld;
beforeAll(async () => {
  world = await openCliWorld();
});
afterAll(() => world.close());
beforeEach(() => world.toy.behave.clear());

const waitsAt = (gate: string, system: string) =>
  world.musterUntil(
    ({ code, stdout }) => code === 3 && stdout.includes(`muster approve ${system} ${gate}`),
    'decide',
    system,
  );

function atTerminal(...args: string[]) {
  const terminal = new TestTerminal();
  const code = runCli(args, {
    streams: { stdout: terminal.stdout, stderr: terminal.stdout },
    stdin: terminal.stdin,
    env: { ...world.env, NO_COLOR: '1' },
    cwd: process.cwd(),
    version: '0.0.0',
  });
  return { terminal, code };
}

test('without a terminal all that is possible is printed, with the exact commands, and nothing is asked', async () => {
  const { system, runId } = await world.start();
  const { stdout } = await waitsAt('point', system);
  expect(stdout).toMatch(/WAITS FOR lead[\s\S]*This point\?[\s\S]*proposal +propose of noon/);
  expect(stdout).toContain(`muster hold ${system} --by NAME --reason WHY`);
  expect(stdout).toContain(`muster hand-over ${system} --to NAME --by NAME`);

  const json = await world.muster('decide', system, '--json');
  expect(json.code).toBe(3);
  expect(JSON.parse(json.stdout)).toMatchObject({
    runId,
    commander: 'ada',
    hold: null,
    waits: [{ gate: 'point' }],
    possible: expect.arrayContaining([
      expect.objectContaining({
        choice: 'approve',
        on: 'point',
        command: `muster approve ${system} point --by NAME [--point TIME]`,
      }),
      expect.objectContaining({ choice: 'abort', on: 'run' }),
    ]),
  });
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('at a terminal one chooses, says who and why, and goes on while something waits', async () => {
  const { system } = await world.start('real', { point: { approvals: 2 } });
  await waitsAt('point', system);
  const { terminal, code } = atTerminal('decide', system);
  await terminal.choose('What do you decide?', 'approve point');
  await terminal.choose('With what is shown?', 'yes, as it is');
  await terminal.choose('Who decides?', 'ada (lead)');
  await terminal.sees('Why? (may be left empty)');
  terminal.type('looked at it');
  await terminal.sees('Still missing: one more lead');
  // The same again is refused, and the choice comes back.
  await terminal.choose('What do you decide?', 'approve point');
  await terminal.choose('With what is shown?', 'yes, as it is');
  await terminal.choose('Who decides?', 'ada (lead)');
  await terminal.sees('Why?');
  terminal.press('enter');
  await terminal.sees('ada has approved point already');
  await terminal.choose('What do you decide?', 'approve point');
  await terminal.choose('With what is shown?', 'yes, as it is');
  await terminal.choose('Who decides?', 'cy (lead, security)');
  await terminal.sees('Why?');
  terminal.press('enter');
  await terminal.sees('point: approved by ada and cy');
  expect([0, 3]).toContain(await code);
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('what cannot be taken back is typed; a step that failed gets another input, checked as it is typed', async () => {
  world.toy.behave.set('verify', (call) => {
    if (call.saw.includes('noon')) throw permanent('a page is damaged');
    return 'verified';
  });
  const { system } = await world.start();
  await world.musterUntil(({ stdout }) => stdout.includes('FAILED verify'), 'decide', system);
  const { terminal, code } = atTerminal('decide', system, '--by', 'ada');

  await terminal.choose('What do you decide?', 'abort');
  await terminal.sees('Why?');
  terminal.type('tried out');
  await terminal.sees(`Type ${system} to abort:`);
  expect(terminal.drawn).toContain('undoes: tear down');
  terminal.type('no');
  await terminal.sees('Not confirmed');

  await terminal.choose('What do you decide?', 'retry verify');
  await terminal.choose('With what is shown?', 'with another point');
  await terminal.sees('Which point?');
  terminal.type('a while ago');
  await terminal.sees('Allowed:');
  terminal.press('interrupt');
  await terminal.sees('The run goes on.');
  expect(await code).toBe(130);
  expect((await world.muster('decide', system)).code).toBe(3);
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});

test('somebody who wants to decide nothing leaves the run as it is', async () => {
  const { system } = await world.start();
  await waitsAt('point', system);
  const { terminal, code } = atTerminal('decide', system);
  await terminal.choose('What do you decide?', 'nothing now');
  expect(await code).toBe(3);
  await world.muster('abort', system, '--by', 'ada', '--reason', 'end of the test');
});
