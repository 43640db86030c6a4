import { statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { readJournal } from '../../src/store/journal.js';
import { countLost, readLost } from '../../src/store/lost.js';
import { Recorder } from '../../src/store/recorder.js';
import { loadReport } from '../../src/store/reports.js';
import { findRun } from '../../src/store/runs.js';
import { RECORDING, Store } from '../../src/store/store.js';
import { verifyJournal } from '../../src/store/verify-journal.js';
import { finishedRun } from '../support/run-view.js';
import { entries, runRef, startStore, type TestStore } from '../support/store.js';

let world: TestStore;
const open: Recorder[] = [];

beforeAll(async () => {
  world = await startStore();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((recorder) => recorder.close()));
});
afterAll(() => world.remove());

const quiet = pino({ level: 'silent' });

/** A recorder as a worker process has one, with a spool of its own. */
function recorderOf(spool: string, store = new Store(world.settings, RECORDING)): Recorder {
  const recorder = new Recorder({ store, spool: world.folder(spool), restMs: 30, log: quiet });
  open.push(recorder);
  return recorder;
}

/** Shares the spool of another recorder, as the worker that comes after a killed one does. */
function sharing(spool: string, store = new Store(world.settings, RECORDING)): Recorder {
  const recorder = new Recorder({ store, spool: join(world.server.folder, spool), restMs: 30, log: quiet });
  open.push(recorder);
  return recorder;
}

async function texts(runId: string): Promise<string[]> {
  const stored = await readJournal(world.store, runId);
  expect(verifyJournal(stored)).toMatchObject({ intact: true });
  return stored.map(({ body }) => body.text);
}

const expected = (from: number, to: number) => entries(from, to).map(({ text }) => text);
const spooled = (spool: string) => readdir(join(world.server.folder, spool)).catch(() => []);

/** Until a condition holds that the product's own timer brings about. */
async function eventually(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('Recorder', () => {
  test('writes to the store and leaves nothing in the spool', async () => {
    const recorder = recorderOf('direct');
    await recorder.append(runRef('direct'), entries(1, 2));
    await recorder.append(runRef('direct'), entries(3, 3));
    expect(await texts('direct')).toEqual(expected(1, 3));
    expect(await spooled('direct')).toEqual([]);
  });

  test('keeps entries while the store is stopped and sends them in order, by itself, once it is back', async () => {
    const recorder = recorderOf('outage');
    await recorder.append(runRef('outage'), entries(1, 2));
    world.server.stop();
    try {
      await recorder.append(runRef('outage'), entries(3, 3));
      await recorder.append(runRef('outage'), entries(4, 6));
      expect(await spooled('outage')).not.toEqual([]);
    } finally {
      await world.server.start();
    }
    await recorder.append(runRef('outage'), entries(7, 7));
    await eventually(async () => (await spooled('outage')).length === 0);
    expect(await texts('outage')).toEqual(expected(1, 7));
  });

  test('is not held up by a store that is frozen, and once it has failed not at all for a while', async () => {
    const store = new Store(world.settings, RECORDING);
    const recorder = new Recorder({ store, spool: world.folder('frozen'), restMs: 60_000, log: quiet });
    open.push(recorder);
    await recorder.append(runRef('frozen'), entries(1, 1));
    const observer = await world.server.connect('muster');
    const backends = await observer.query<{ pid: number }>(
      "select pid from pg_stat_activity where usename = 'muster_recorder'",
    );
    await observer.end();
    const pids = [world.server.pid(), ...backends.rows.map(({ pid }) => pid)];
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const begun = performance.now();
    let first: number;
    let second: number;
    try {
      await recorder.append(runRef('frozen'), entries(2, 2));
      first = performance.now() - begun;
      await recorder.append(runRef('frozen'), entries(3, 3));
      second = performance.now() - begun - first;
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    }
    expect(first).toBeLessThan(4_500);
    expect(second).toBeLessThan(500);
    expect(await sharing('frozen').replay()).toBe(true);
    expect(await texts('frozen')).toEqual(expected(1, 3));
  }, 20_000);

  test('sends what a worker that died left behind, before anything newer', async () => {
    await recorderOf('left', unreachable()).append(runRef('left'), entries(1, 3));
    await sharing('left').append(runRef('left'), entries(4, 4));
    expect(await texts('left')).toEqual(expected(1, 4));
  });

  test('sends what was left behind when it starts, without waiting for more', async () => {
    await recorderOf('start', unreachable()).append(runRef('start'), entries(1, 3));
    sharing('start').start();
    await eventually(async () => (await texts('start')).length === 3);
  });

  test('ignores what arrives twice, also when the store had it before the answer was lost', async () => {
    const recorder = recorderOf('double');
    await recorder.append(runRef('double'), entries(1, 3));
    await sharing('double', unreachable()).append(runRef('double'), entries(2, 5));
    await recorder.append(runRef('double'), entries(4, 6));
    expect(await texts('double')).toEqual(expected(1, 6));
  });

  test('loses nothing and stays one chain when workers that share a machine record at once', async () => {
    const one = recorderOf('busy');
    const other = sharing('busy');
    const offline = sharing('busy', unreachable());
    await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        [one, other, offline][at % 3]?.append(runRef('busy'), entries(at + 1, at + 1)),
      ),
    );
    await one.replay();
    expect((await texts('busy')).sort()).toEqual(expected(1, 30).sort());
    expect(await spooled('busy')).toEqual([]);
  });

  test('steps over a line that a crash cut short; what was kept before and after it arrives', async () => {
    const spool = world.folder('torn');
    await new Recorder({ store: undefined, spool, log: quiet }).append(runRef('torn'), entries(1, 2));
    const [name] = await readdir(spool);
    const path = join(spool, name ?? '');
    await writeFile(path, `${await readFile(path, 'utf8')}{"journal":{"runId":"torn","ind`);
    const recorder = sharing('torn', unreachable());
    await recorder.append(runRef('torn'), entries(3, 3));
    await sharing('torn').replay();
    expect(await texts('torn')).toEqual(expected(1, 3));
  });

  test('writes the spool readable for its own account alone', async () => {
    await recorderOf('private', unreachable()).append(runRef('private'), entries(1, 1));
    const spool = join(world.server.folder, 'private');
    const [name] = await readdir(spool);
    expect([statSync(spool).mode & 0o777, statSync(join(spool, name ?? '')).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
  });

  test('fails only when neither store nor spool takes it', async () => {
    const spool = world.folder('nowhere');
    await writeFile(spool, 'a file where the folder should be');
    const recorder = new Recorder({ store: undefined, spool: join(spool, 'spool'), log: quiet });
    await expect(recorder.append(runRef('nowhere'), entries(1, 1))).rejects.toMatchObject({
      code: 'JournalNotKept',
    });
  });

  test('keeps runs, lost records and reports through an outage too', async () => {
    const runId = finishedRun.runId;
    const files = world.folder('report-files');
    await mkdir(files);
    for (const name of [
      'report.json',
      'report.json.sig',
      'report.html',
      'report.html.sig',
      'report.pub.pem',
    ]) {
      await writeFile(join(files, name), `bytes of ${name}`);
    }
    const lost = Array.from({ length: 1_203 }, (_, at) => ({
      id: `payment-${String(at).padStart(5, '0')}`,
      at: new Date(Date.UTC(2026, 10, 21, 3, 0, 0, at)).toISOString(),
      body: { amount: at },
    }));
    const offline = recorderOf('all', unreachable());
    expect(await offline.keepLost(runId, 'transactions', lost)).toBe(1_203);
    await offline.keepReport(runId, '2026-11-21T03:09:21.000Z', files);
    await offline.keepRun(finishedRun);

    const online = sharing('all');
    await online.replay();
    await online.keepLost(runId, 'transactions', lost.slice(0, 700));
    await online.keepReport(runId, '2026-11-21T03:09:21.000Z', files);

    expect(await countLost(world.store, runId)).toEqual({ transactions: 1_203 });
    expect(await readLost(world.store, runId, 'transactions', 2)).toEqual(
      lost.slice(0, 2).map(({ id, at }) => ({ id, at })),
    );
    expect((await loadReport(world.store, runId))?.html.toString()).toBe('bytes of report.html');
    expect(await findRun(world.store, 'payymo')).toEqual(finishedRun);
  });
});

/** A store at a port where nobody listens. */
function unreachable(): Store {
  return new Store({ ...world.settings, port: 1 }, RECORDING);
}
