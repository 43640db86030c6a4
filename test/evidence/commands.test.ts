/** What people do with the record: history, journal, report, each against a real store and a real report. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { keepRun } from '../../activities/journal/append.js';
import { writeReport } from '../../activities/report/write.js';
import { migrations } from '../../src/store/migrations/index.js';
import { closeRecorder, keepLost, Recorder, recorder } from '../../src/store/recorder.js';
import { expectationsFor } from '../../src/store/runs.js';
import { runMuster } from '../cli/run-muster.js';
import { payymoPlan } from '../support/payymo-plan.js';
import { finishedOutputs, lostPayments } from '../support/run-outputs.js';
import { finishedRun } from '../support/run-view.js';
import { entries, startStore, type TestStore } from '../support/store.js';

const { runId } = finishedRun;
const at = { runId, system: 'payymo', scenario: 'corruption', mode: 'real' as const, step: 'report' };
let world: TestStore;
let env: Record<string, string>;
const before = { ...process.env };

beforeAll(async () => {
  world = await startStore();
  env = {
    MUSTER_STORE_URL: `postgres://muster_recorder@127.0.0.1:${world.server.port}/muster`,
    MUSTER_STORE_PASSWORD: 'env:MUSTER_TEST_STORE_PASSWORD',
    MUSTER_HOME: world.folder('home'),
    MUSTER_LOG_LEVEL: 'silent',
    // No runbook names a bucket here: nothing is asked for anchors.
    MUSTER_RUNBOOKS: world.folder('no-runbooks'),
  };
  Object.assign(process.env, env);
  await recorder().append(at, entries(1, 12));
  await keepLost(runId, 'transactions', lostPayments);
  await writeReport({ at, plan: payymoPlan, view: finishedRun, outputs: finishedOutputs });
  await recorder().append(at, entries(13, 14));
  await keepRun({ view: finishedRun });
});
afterAll(async () => {
  await closeRecorder();
  process.env = before;
  await world.remove();
});

const muster = (...args: string[]) => runMuster(args, { env, cwd: world.server.folder });
const home = () => env.MUSTER_HOME as string;

describe('the activity writeReport', () => {
  test('names its files, and the store holds the same bytes', async () => {
    const files = await writeReport({ at, plan: payymoPlan, view: finishedRun, outputs: finishedOutputs });
    expect(files.json).toBe(join(home(), 'reports', runId, 'report.json'));
    const { rows } = await world.owner.query(
      "select content from muster.reports where run_id = $1 and kind = 'json'",
      [runId],
    );
    expect(rows).toHaveLength(1);
    const json = JSON.parse(readFileSync(files.json, 'utf8'));
    expect(json.lost[0]).toMatchObject({ dataClass: 'transactions', records: 41, complete: true });
    expect(json.lost[0].listed).toEqual(lostPayments);
    expect(json.journal.entries).toBeGreaterThanOrEqual(12);
  });

  test('writes without the store, says what it could not list, and the store has it once it is back', async () => {
    await closeRecorder();
    const view = { ...finishedRun, runId: 'without-store' };
    const store = process.env.MUSTER_STORE_URL;
    process.env.MUSTER_STORE_URL = 'postgres://muster_recorder@127.0.0.1:1/muster';
    const files = await writeReport({ at, plan: payymoPlan, view, outputs: finishedOutputs });
    await closeRecorder();
    process.env.MUSTER_STORE_URL = store;
    const json = JSON.parse(readFileSync(files.json, 'utf8'));
    expect(json.lost[0]).toMatchObject({ records: 41, complete: false });
    expect(json.journal).toBeUndefined();
    expect(await recorder().replay()).toBe(true);
    const { stdout } = await muster('report', 'without-store', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ id: 'without-store', status: 'recovered' });
  });
});

describe('muster report', () => {
  test('shows verdict, objectives, decisions and where the page lies, for a run, a system and the latest', async () => {
    for (const name of [runId, 'payymo', 'latest']) {
      const { code, stdout } = await muster('report', name);
      expect(code).toBe(0);
      for (const said of [
        'Recovered',
        'within the RTO of 6 h',
        '41 lost',
        'approve gate-promote by technical director',
      ]) {
        expect(stdout.replace(/\s+/g, ' ')).toContain(said);
      }
      expect(stdout).toContain(join(home(), 'reports', runId, 'report.html'));
    }
  });

  test('hands the files on, which then verify on their own', async () => {
    const out = world.folder('handed-on');
    const { stdout } = await muster('report', 'payymo', '--out', 'handed-on', '--json');
    expect(JSON.parse(stdout).files.html).toBe(join(out, 'report.html'));
    const verified = await muster('report', 'verify', 'handed-on');
    expect([verified.code, verified.stdout.split('\n')[0]]).toEqual([0, 'as it was signed']);
    writeFileSync(
      join(out, 'report.json'),
      readFileSync(join(out, 'report.json'), 'utf8').replace('"lostRecords": 41', '"lostRecords": 14'),
    );
    const altered = await muster('report', 'verify', 'handed-on', '--json');
    expect(altered.code).toBe(1);
    expect(JSON.parse(altered.stdout).files[0]).toMatchObject({ name: 'report.json', intact: false });
    rmSync(join(out, 'report.json.sig'));
    expect((await muster('report', 'verify', 'handed-on')).stdout).toContain('report.json.sig is missing');
  });

  test('takes the report of this machine when the store does not answer, and says so', async () => {
    const away = { ...env, MUSTER_STORE_URL: 'postgres://muster_recorder@127.0.0.1:1/muster' };
    const { code, stdout, stderr } = await runMuster(['report', runId], { env: away });
    expect(code).toBe(0);
    expect(stdout).toContain('Recovered');
    expect(stderr).toMatch(/store was not asked.*does not answer/);
  });

  test('answers what is not there as bad input, and starts nothing', async () => {
    for (const args of [
      ['report', 'nobody'],
      ['report', 'verify', 'nowhere'],
      ['report'],
      ['journal', 'show', 'nobody'],
      ['history', '--limit', '0'],
    ]) {
      expect({ args, code: (await muster(...args)).code }).toEqual({ args, code: 2 });
    }
  });
});

describe('muster journal', () => {
  test('shows every entry in order, with facts where asked', async () => {
    const { code, stdout } = await muster('journal', 'show', runId, '--facts');
    expect(code).toBe(0);
    expect(stdout.match(/step-done/g)).toHaveLength(14);
    expect(stdout).toContain('rows: 18,204');
    expect(stdout).not.toContain('…');
    const json = JSON.parse((await muster('journal', 'show', 'payymo', '--json')).stdout);
    expect(json.entries.map(({ index }: { index: number }) => index)).toEqual(
      Array.from({ length: 14 }, (_, position) => position + 1),
    );
  });

  test('finds it whole, held against the end that the signed report names', async () => {
    const { code, stdout } = await muster('journal', 'verify', runId, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, intact: true, complete: true, problems: [] });
  });

  test('says which entry was tampered with, also when the end was cut off', async () => {
    const other = { ...at, runId: 'tampered' };
    await recorder().append(other, entries(1, 6));
    await writeReport({ at, plan: payymoPlan, view: { ...finishedRun, runId: 'tampered' }, outputs: {} });
    await world.owner.query('alter table muster.journal disable trigger all');
    await world.owner.query("delete from muster.journal where run_id = 'tampered' and index >= 5");
    const cut = await muster('journal', 'verify', 'tampered');
    expect(cut.code).toBe(1);
    expect(cut.stdout).toMatch(/Entry 5 and all after it were removed: 6 were signed for/);
    await world.owner.query(
      `update muster.journal set body = jsonb_set(body, '{text}', '"fine"') where run_id = 'tampered' and index = 2`,
    );
    const altered = await muster('journal', 'verify', 'tampered');
    expect(altered.stdout).toMatch(/NOT WHOLE[\s\S]*Entry 2 does not fit its hash/);
    await world.owner.query('alter table muster.journal enable always trigger journal_rows_stay');
    await world.owner.query('alter table muster.journal enable always trigger journal_stays');
  });

  test('says where entries wait that have not arrived', async () => {
    const offline = new Recorder({
      store: undefined,
      spool: join(home(), 'spool'),
      log: pino({ level: 'silent' }),
    });
    await recorder().append({ ...at, runId: 'late' }, entries(1, 1));
    await recorder().append({ ...at, runId: 'late' }, entries(3, 3));
    await offline.append({ ...at, runId: 'late' }, entries(2, 2));
    const { code, stdout } = await muster('journal', 'verify', 'late');
    expect(code).toBe(1);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/INCOMPLETE.*Entry 2 has not arrived.*wait in .*spool/);
    await recorder().replay();
    expect((await muster('journal', 'verify', 'late')).code).toBe(0);
  });
});

describe('muster history', () => {
  test('shows past runs, and for a system how each step developed', async () => {
    const quicker = {
      ...finishedRun,
      runId: 'earlier',
      clock: { ...finishedRun.clock, startedAt: '2026-10-01T03:00:00.000Z' },
    };
    await keepRun({
      view: { ...quicker, steps: quicker.steps.map((step) => ({ ...step, workingMs: step.workingMs / 2 })) },
    });
    const { code, stdout } = await muster('history', 'payymo');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /2026-11-21 03:04 {2}payymo {2}corruption {2}real {2}recovered {2}6:00 {2}of 6 h {2}met/,
    );
    expect(stdout).toMatch(/step +median +90 % +10-01 +11-21/);
    expect(stdout).toMatch(/restore +1:12 +1:31 +0:48 +1:36 +▅█/);
    const json = JSON.parse((await muster('history', 'payymo', '--json')).stdout);
    expect(json.runs.map((run: { runId: string }) => run.runId)).toEqual([runId, 'earlier']);
    const restore = json.steps.find((each: { step: string }) => each.step === 'restore');
    expect(restore.times.map(({ ms }: { ms: number }) => ms)).toEqual([48_250, 96_500]);
    // What the next run expects is the same.
    const expected = await expectationsFor(world.store, 'payymo', 'corruption');
    expect(expected.restore).toEqual({ medianMs: restore.medianMs, p90Ms: restore.p90Ms, runs: 2 });
    const other = JSON.parse((await muster('history', 'payymo', 'site-loss', '--json')).stdout);
    expect(other).toEqual({ runs: [], steps: [] });
  });

  test('says how to name the store where none is', async () => {
    const { code, stderr } = await runMuster(['history'], { env: {} });
    expect(code).toBe(2);
    expect(stderr).toContain('MUSTER_STORE_URL');
  });
});

describe('muster store migrate', () => {
  test('makes a store that the recorder can use; again it changes nothing', async () => {
    await world.owner.query('create database fresh');
    const owner = { ...env, MUSTER_STORE_URL: `postgres://postgres@127.0.0.1:${world.server.port}/fresh` };
    const first = await runMuster(['store', 'migrate', '--recorder', 'muster_recorder', '--json'], {
      env: owner,
    });
    expect(JSON.parse(first.stdout)).toEqual({ applied: migrations.map(({ name }) => name) });
    const again = await runMuster(['store', 'migrate', '--recorder', 'muster_recorder'], { env: owner });
    expect(again.stdout.trim()).toBe('The store is up to date.');
    const used = await runMuster(['history'], {
      env: { ...env, MUSTER_STORE_URL: `postgres://muster_recorder@127.0.0.1:${world.server.port}/fresh` },
    });
    expect([used.code, used.stdout.trim()]).toEqual([0, 'No run has ended yet.']);
  });
});
