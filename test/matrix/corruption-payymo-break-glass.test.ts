/**
 * The day that takes Muster's own site too: its Temporal server and its store are gone with all data. From the bundle, with
 * `muster serve` and nothing else of Muster's, the recovery runs to its end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Corruption } from '../../lab/break/corruption.js';
import { layoutOf } from '../../lab/layout.js';
import { labCode } from '../../lab/people.js';
import type { RunView } from '../../src/model/run.js';
import { partsFile } from '../../src/parts.js';
import { eventually } from '../support/eventually.js';
import { killPart } from '../support/faults.js';
import { APPROVER, Incident, printed, recoverArgs, SYSTEM } from '../support/incident.js';
import { useLab } from '../support/lab.js';
import { type Finished, muster } from '../support/muster-process.js';

const lab = useLab({ worker: 'none' });
let folder: string;
let bundle: string;
let damage: Corruption;
let serving: ChildProcess | undefined;

/** A laptop: its own folder, the bundle's runbooks, and of Muster's site neither address nor key. */
function laptop(): Record<string, string> {
  return {
    MUSTER_HOME: join(folder, 'home'),
    MUSTER_RUNBOOKS: join(folder, SYSTEM, 'runbooks'),
    MUSTER_LAB: join(folder, 'no-lab'),
    MUSTER_PARTS: partsFile(),
    MUSTER_KEY: lab.state.people[APPROVER]?.keyFile ?? '',
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

const onLaptop = (...args: readonly string[]): Promise<Finished> => muster(args, laptop());

async function view(): Promise<RunView> {
  return printed<{ run: RunView }>(await onLaptop('status', SYSTEM, '--json')).run;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-break-glass-'));
  bundle = join(folder, 'payymo.tar.gz');
  const incident = new Incident(lab);
  expect(await incident.muster('bundle', SYSTEM, '--to', bundle)).toMatchObject({ code: 0 });
  damage = await incident.happen();
  await killPart(lab, 'temporal');
  await killPart(lab, 'store');
  const { temporal, store, home } = layoutOf(lab.dir);
  for (const gone of [temporal, store.base, home]) await rm(gone, { recursive: true, force: true });
}, 120_000);

afterAll(async () => {
  if (serving !== undefined && serving.exitCode === null) {
    const ended = once(serving, 'exit');
    serving.kill('SIGTERM');
    await ended;
  }
  await rm(folder, { recursive: true, force: true });
}, 60_000);

it('is opened on a laptop, and what it names is there', async () => {
  const opened = await onLaptop('bundle', 'open', bundle, join(folder, SYSTEM), '--json');
  expect(opened).toMatchObject({ code: 0 });
  expect(printed<{ toFill: unknown[] }>(opened).toFill).toEqual([]);
});

it('recovers with the embedded server alone', async () => {
  const program = resolve(__dirname, '../../dist/src/cli/main.js');
  serving = spawn(process.execPath, [program, 'serve', '--json'], {
    env: { ...process.env, ...laptop() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: serving.stdout as Readable }), 'line')) as [string];
  expect(JSON.parse(line).temporal.address).toMatch(/^127\.0\.0\.1:/);

  const begun = await muster(recoverArgs(damage.startedAt), laptop());
  expect(begun).toMatchObject({ code: 0 });
  for (const gate of ['point', 'promote']) {
    const waits = async () => {
      const { openDecisions } = await view();
      expect(openDecisions.map((open) => open.gate)).toContain(gate);
    };
    await eventually(waits, 120_000);
    const code = gate === 'promote' ? ['--totp', await labCode(lab.state.people[APPROVER] as never)] : [];
    const approved = await onLaptop('approve', SYSTEM, gate, '--by', APPROVER, ...code);
    expect(approved).toMatchObject({ code: 0 });
  }
  await eventually(async () => expect((await view()).status).toBe('recovered'), 120_000);
}, 280_000);

it('has kept journal and report on the laptop, for the store that will be there again', async () => {
  const { runId } = await view();
  const home = join(folder, 'home');
  const report = JSON.parse(await readFile(join(home, 'reports', runId, 'report.json'), 'utf8'));
  expect(report).toMatchObject({ id: runId, status: 'recovered' });
  const spooled = await readdir(join(home, 'spool'), { recursive: true });
  expect(spooled.filter((name) => name.includes(runId))).not.toEqual([]);
});
