/** Watching real runs, and what is written where no terminal is. */
import { followRun, type Seen, type WatchSink } from '../../src/cli/following.js';
import type { Look } from '../../src/temporal/observe.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { finishedRun, waitingRun } from '../support/run-view.js';
import { held } from '../support/toy-world.js';

describe('a run followed into a pipe', () => {
  let world: CliTestWorld;
  beforeAll(async () => {
    world = await openCliWorld();
  });
  afterAll(() => world.close());

  test('has one line a change with its time, no cursor movement, the whole at the end, and the exit code of the run', async () => {
    const { system } = await world.start();
    const watched = world.muster('watch', system);
    for (const gate of ['point', 'promote']) {
      await world.musterUntil(
        ({ code, stdout }) => code === 3 && stdout.includes(`approve ${system} ${gate}`),
        'status',
        system,
      );
      await world.muster('approve', system, gate, '--by', 'ada', '--reason', 'seen');
    }
    const { code, stdout } = await watched;
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001b');
    const lines = stdout.split('\n');
    const summary = lines.indexOf('');
    for (const line of lines.slice(0, summary)) expect(line).toMatch(/^\d\d:\d\d:\d\d UTC {2}\S/);
    const log = lines.slice(0, summary).join('\n');
    expect(log).toMatch(/run +toy-\S+ toy real/);
    expect(log).toMatch(/build +begins/);
    expect(log).toMatch(/build +done in 0:\d\d of 1:00: build of propose of noon/);
    expect(log).toMatch(
      new RegExp(`gate: point +gate: point waits for lead.*muster approve ${system} point --by NAME`),
    );
    expect(log).toMatch(/gate: promote +approve by ada \(update\): seen/);
    expect(log).toMatch(/run +RECOVERED, service back after/);
    expect(lines.slice(summary).join('\n')).toMatch(/RECOVERED +service back after[\s\S]*done +cutover/);
  });

  test('that is ended from outside says so, and fails', async () => {
    const work = held();
    world.toy.behave.set('build', work.behaviour);
    const { system, workflowId } = await world.start();
    await world.musterUntil(({ stdout }) => /run +build/.test(stdout), 'status', system);
    const watched = world.muster('watch', system);
    await world.session.client.workflow.getHandle(workflowId).terminate('by the test');
    const { code, stdout } = await watched;
    expect(code).toBe(1);
    expect(stdout).toContain('ended in Temporal from outside the run (terminated');
    work.release('built');
    world.toy.behave.clear();
  });
});

describe('following', () => {
  const recorder = () => {
    const shown: (Seen | undefined)[] = [];
    const ended: (Seen | undefined)[] = [];
    const sink: WatchSink = { show: (seen) => shown.push(seen), end: (seen) => ended.push(seen) };
    return { shown, ended, sink };
  };
  const looks = (answers: readonly Look[]) => {
    let next = 0;
    return async () => answers[Math.min(next++, answers.length - 1)] as Look;
  };

  test('goes on while nobody answers, shows the last view as old, and sees the end', async () => {
    const { shown, sink } = recorder();
    const away: Look = { trouble: 'nobody is there' };
    const watched = await followRun(
      looks([
        { view: waitingRun, activity: {} },
        away,
        away,
        away,
        away,
        { view: finishedRun, activity: {} },
      ]),
      sink,
      new AbortController().signal,
    );
    expect(watched.ended).toBe('by-itself');
    expect(watched.view).toBe(finishedRun);
    const silent = shown.filter((seen) => seen?.silence !== undefined);
    expect(silent.length).toBeGreaterThan(0);
    expect(silent[0]?.view).toBe(waitingRun);
    expect(silent[0]?.silence?.what).toBe('nobody is there');
  });

  test('leaves at once when told to, even while an answer is awaited', async () => {
    const { ended, sink } = recorder();
    const left = new AbortController();
    let asked = 0;
    const watched = followRun(
      () => {
        asked += 1;
        if (asked === 1) return Promise.resolve({ view: waitingRun, activity: {} });
        left.abort();
        return new Promise<Look>(() => undefined);
      },
      sink,
      left.signal,
    );
    expect((await watched).ended).toBe('left');
    expect(ended).toHaveLength(1);
    expect(ended[0]?.view).toBe(waitingRun);
  });
});
