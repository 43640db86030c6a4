/** The demo as a script runs it: what it prints, what it leaves, and that it leaves nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { downLab } from '../../lab/down.js';
import { labFolder } from '../support/lab.js';
import { type Finished, muster, run } from '../support/muster-process.js';

const program = resolve(__dirname, '../../dist/lab/demo.js');
const lab = labFolder();
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'muster-home-'));
});
afterAll(async () => {
  await downLab(lab, { log: () => undefined });
  await rm(home, { recursive: true, force: true });
}, 60_000);

const environment = () => ({ MUSTER_LAB: lab, MUSTER_HOME: home });
const demo = (...args: readonly string[]): Promise<Finished> =>
  run(process.execPath, [program, ...args], environment(), 240_000);

/** Processes that live in a folder or were started with a path in it. */
async function processesIn(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (command.includes(folder) || cwd.startsWith(folder)) found.push(command.replaceAll('\0', ' '));
  }
  return found;
}

async function expectNothingLeft(): Promise<void> {
  const beside = await readdir(dirname(lab));
  expect(beside.filter((name) => name.startsWith(basename(lab)))).toEqual([]);
  expect(await processesIn(lab)).toEqual([]);
}

/** Ctrl-C when the lab is up. @returns the exit code */
async function interruptedOncePaying(...args: readonly string[]): Promise<number | null> {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const child = spawn(process.execPath, [program, ...args], {
    stdio: [...stdio],
    env: { ...process.env, ...environment() },
  });
  const ended = once(child, 'exit') as Promise<[number | null]>;
  for await (const line of createInterface({ input: child.stdout as Readable })) {
    if (line.startsWith('2 ')) child.kill('SIGINT');
  }
  return (await ended)[0];
}

const duration = expect.any(Number);
const lossOf = (targetMs: number) => ({ targetMs, actualMs: duration, lostRecords: duration });
const minutes = 60_000;

it('recovers by itself and ends with one line of JSON', async () => {
  const { code, stdout, stderr } = await demo('--json');
  expect(stderr).toContain('no person is here: the demo itself approves promote as database-lead');
  expect(code).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  const outcome = JSON.parse(stdout);
  const uuid = '[0-9a-f-]{36}';
  expect(outcome).toEqual({
    runId: expect.stringMatching(/^payymo-corruption-\d{8}-\d{6}-[0-9a-f]{4}$/),
    scenario: 'corruption',
    system: 'payymo',
    result: 'recovered',
    rto: { targetMs: 360 * minutes, actualMs: duration, workingMs: duration, waitingMs: duration },
    rpo: {
      transactions: lossOf(5 * minutes),
      accounts: lossOf(60 * minutes),
      users: lossOf(60 * minutes),
      configuration: lossOf(360 * minutes),
      analytics: lossOf(24 * 60 * minutes),
    },
    report: {
      html: expect.stringMatching(/\.html$/),
      json: expect.stringMatching(/\.json$/),
      signature: expect.any(String),
      publicKey: expect.stringMatching(/\.pem$/),
    },
    temporalUi: expect.stringMatching(
      new RegExp(
        `^http://127\\.0\\.0\\.1:\\d+/namespaces/default/workflows/payymo\\.real/${uuid}(/timeline)?$`,
      ),
    ),
  });
  expect(outcome.rto.actualMs).toBeLessThanOrEqual(outcome.rto.targetMs);
  expect(outcome.rto.workingMs).toBeGreaterThan(0);
  expect(outcome.rpo.transactions.lostRecords).toBeGreaterThan(0);
  expect(outcome.rpo.transactions.actualMs).toBeLessThan(outcome.rpo.transactions.targetMs);

  for (const file of Object.values<string>(outcome.report)) {
    expect(file.startsWith(`${home}/`)).toBe(true);
    expect((await stat(file)).size).toBeGreaterThan(0);
  }
  const verified = await muster(['report', 'verify', outcome.report.json], environment());
  expect(verified).toMatchObject({ code: 0 });
  await expectNothingLeft();
}, 240_000);

it('leaves the lab up when asked to, does not begin in it again, and takes it down', async () => {
  expect(await interruptedOncePaying('--keep')).toBe(130);
  expect((await muster(['lab', 'status'], environment())).code).toBe(0);

  const again = await demo('--json');
  expect(again).toMatchObject({ code: 2, stdout: '' });
  expect(again.stderr).toContain('npm run demo -- --down');
  expect((await muster(['lab', 'status'], environment())).code).toBe(0);

  expect((await demo('--down')).code).toBe(0);
  await expectNothingLeft();
}, 90_000);

it('leaves nothing behind when it is interrupted', async () => {
  expect(await interruptedOncePaying()).toBe(130);
  await expectNothingLeft();
}, 90_000);
