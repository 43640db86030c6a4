/** Watching real runs, and what is written where no terminal is. */
import { followRun, type Seen, type WatchSink } from '../../src/cli/following.js';
import { changeLines, ProgressLog } from '../../src/cli/render/change-log.js';
import type { Look } from '../../src/temporal/observe.js';
import { type CliTestWorld, openCliWorld } from '../support/cli-world.js';
import { finishedRun, restoreProgress, troubledRun, waitingRun } from '../support/run-view.js';
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
    expect(log).toMatch(/gate: point +wait(s|ed) for lead/);
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

describe('the log of changes', () => {
  test('tells what has happened so far, then what is new; who is awaited, with what to decide and the command', () => {
    const first = changeLines(undefined, waitingRun);
    expect(first[0]).toContain(
      'payymo corruption real, payymo-corruption-20261121-030402, by on-call engineer',
    );
    expect(first).toContainEqual(
      expect.stringMatching(
        /^03:04:08 UTC {2}gate: point +waits for database-lead\. Go back to 02:59:39\.871 UTC\? \(.*Loses: 41.*\) muster approve payymo point --by NAME/,
      ),
    );
    expect(changeLines(waitingRun, waitingRun)).toEqual([]);
    const rest = changeLines(waitingRun, finishedRun);
    expect(rest).toContainEqual(
      expect.stringMatching(/^03:05:48 UTC {2}restore +done in 1:36 of 30:00: 8\.7 GB/),
    );
    expect(rest.at(-1)).toMatch(/^03:09:21 UTC {2}run +RECOVERED, service back after 6:00 of 6 h: /);
    expect(rest.join('\n')).not.toContain('assess');
  });

  test('tells a failure with what to do next', () => {
    expect(changeLines(waitingRun, troubledRun)).toContainEqual(
      expect.stringMatching(/restore +FAILED: File base.* Next: Retry from repository 2/),
    );
  });

  test('tells progress now and then, a new attempt at once', () => {
    const log = new ProgressLog();
    const lines = (done: number, attempt: number, second: number) =>
      log.lines(
        { restore: { attempt, progress: { ...restoreProgress, done }, lastFailure: 'S3 answered 503' } },
        second * 1000,
      );
    expect(lines(1e9, 1, 0)).toHaveLength(1);
    expect(lines(1.1e9, 1, 1)).toHaveLength(0);
    expect(lines(2e9, 1, 2)[0]).toMatch(/restore +22 %, 2 of 8\.7 GB, 104 MB\/s/);
    expect(lines(2e9, 2, 3)[0]).toMatch(/attempt 2, before: S3 answered 503/);
    expect(lines(2.1e9, 2, 64)).toHaveLength(1);
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
