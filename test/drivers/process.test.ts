import { runTool } from '../../src/process.js';
import { until } from '../support/cluster.js';

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('every line arrives, and the end of standard error is kept', async () => {
  const lines: string[] = [];
  const outcome = await runTool('sh', ['-c', 'seq 1 5000; echo last words >&2; exit 3'], {
    timeoutMs: 20_000,
    onLine: (line) => lines.push(line),
  });
  expect(lines).toHaveLength(5_000);
  expect(lines.at(-1)).toBe('5000');
  expect(outcome).toMatchObject({ exitCode: 3, stderr: 'last words\n' });
});

test('cancelled, it ends the program together with what that has started', async () => {
  const stop = new AbortController();
  let helper = 0;
  const running = runTool('sh', ['-c', 'sleep 300 & echo $!; wait'], {
    timeoutMs: 20_000,
    signal: stop.signal,
    onLine: (line) => {
      helper = Number(line);
      stop.abort(new Error('called off'));
    },
  });
  await expect(running).rejects.toThrow('called off');
  expect(helper).toBeGreaterThan(1);
  await until('the helper is gone', async () => !isRunning(helper));
});

test('a helper that outlives its program is ended, unless a server may be left running', async () => {
  const helperOf = async (options: { readonly leavesNothing?: true }) => {
    let helper = 0;
    const outcome = await runTool('sh', ['-c', 'sleep 300 >/dev/null 2>&1 & echo $!; exit 42'], {
      timeoutMs: 20_000,
      onLine: (line) => {
        helper = Number(line);
      },
      ...options,
    });
    expect(outcome.exitCode).toBe(42);
    expect(helper).toBeGreaterThan(1);
    return helper;
  };
  const ended = await helperOf({ leavesNothing: true });
  await until('the helper is gone', async () => !isRunning(ended));
  const left = await helperOf({});
  expect(isRunning(left)).toBe(true);
  process.kill(left, 'SIGKILL');
});

test('past its deadline the program is ended, and the error says so', async () => {
  await expect(runTool('sleep', ['300'], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'ToolTimedOut' });
});

test('a program that is not there is named', async () => {
  await expect(runTool('no-such-program', [], { timeoutMs: 1_000 })).rejects.toMatchObject({
    code: 'ToolMissing',
    message: expect.stringContaining('no-such-program'),
  });
});

test("nothing of the worker's environment reaches the program", async () => {
  process.env.MUSTER_TEST_SECRET = 'hidden';
  const { stdout } = await runTool('env', [], { timeoutMs: 10_000, env: { GIVEN: 'yes' } });
  expect(stdout).toContain('GIVEN=yes');
  expect(stdout).not.toContain('hidden');
});

test('a program that does not read its input ends with its own exit code', async () => {
  const input = 'x'.repeat(1_000_000);
  const outcome = await runTool('sh', ['-c', 'exec 0<&-; sleep 0.2; echo done; exit 4'], {
    timeoutMs: 20_000,
    input,
    onLine: () => undefined,
  });
  expect(outcome.exitCode).toBe(4);
});

test('what a program wrote is whole, although it has ended before anybody reads it', async () => {
  const pids: number[] = [];
  let said = '';
  const outcome = await runTool('sh', ['-c', 'echo $$ >&2; seq 1 100'], {
    timeoutMs: 20_000,
    onErrorLine: (line) => pids.push(Number(line)),
    consume: async (output) => {
      await until('it has ended', async () => pids.length > 0 && pids.every((pid) => !isRunning(pid)));
      for await (const chunk of output) said += chunk;
    },
  });
  expect(outcome.exitCode).toBe(0);
  expect(said).toBe(Array.from({ length: 100 }, (_, index) => `${index + 1}\n`).join(''));
});
