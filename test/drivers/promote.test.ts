import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { FenceProof, RecoveryPoint, RungCheck } from '../../activities/contract.js';
import { promoteActivities } from '../../activities/promote/index.js';
import {
  acquireFencingToken,
  readPromotion,
  takePromotionToken,
  withVault,
} from '../../activities/vault/index.js';
import { freePorts } from '../../lab/ports.js';
import { waitFor } from '../../lab/wait.js';
import { generationOf, makeCluster, type TestCluster } from './support/postgres.js';
import { startVault, type TestVault } from './support/s3.js';
import { pointAt, stepOf } from './support/steps.js';

const { promote } = promoteActivities();
const never = new AbortController().signal;
let vault: TestVault;
let primary: TestCluster;
/** Never started: the files that copies begin with. */
let backup: TestCluster;
let point: RecoveryPoint;
let systems = 0;

beforeAll(async () => {
  [vault, primary] = await Promise.all([startVault(), makeCluster()]);
  const generation = await generationOf(primary);
  // A backup by copying the stopped cluster; then payments before and after the point, all of it archived.
  await primary.stop('fast');
  backup = await makeCluster({ copyOf: primary });
  await primary.start();
  const time = await primary.admin(async (client) => {
    await client.query('insert into payment (amount) values (1)');
    const { rows } = await client.query(
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
    );
    await client.query('insert into payment (amount) values (100)');
    await client.query('select pg_switch_wal()');
    return rows[0].now;
  });
  await waitFor({ what: 'archiving', deadlineMs: 10_000 }, () =>
    primary.admin(async (client) => {
      const { rows } = await client.query(
        'select last_archived_wal >= pg_walfile_name(pg_current_wal_lsn() - 1) as done from pg_stat_archiver',
      );
      if (rows[0].done !== true) throw new Error('not yet archived');
    }),
  );
  await primary.stop('fast');
  point = pointAt(generation, time);
});
afterAll(async () => {
  await Promise.all([vault.remove(), primary.remove(), backup.remove()]);
});

/** A copy restored to the point and paused there. */
async function restoredCopy(settings: readonly string[] = []): Promise<TestCluster> {
  const copy = await makeCluster({
    site: 'recovery',
    copyOf: backup,
    // Promoted copies must not find each other's timelines.
    settings: [
      `restore_command = 'cp ${primary.archive}/%f %p'`,
      "archive_command = 'true'",
      // Read before time zone abbreviations are known: no Z.
      `recovery_target_time = '${point.time.replace('Z', '+00')}'`,
      'recovery_target_inclusive = off',
      'recovery_target_action = pause',
      ...settings,
    ],
  });
  await writeFile(join(copy.at.postgres.service.dataDirectory, 'recovery.signal'), '');
  try {
    await copy.start();
    await untilPaused(copy);
  } catch (error) {
    await copy.remove();
    throw error;
  }
  return copy;
}

function untilPaused(copy: TestCluster): Promise<void> {
  return waitFor({ what: 'the pause at the point', deadlineMs: 20_000 }, () =>
    copy.admin(async (client) => {
      const { rows } = await client.query('select pg_get_wal_replay_pause_state() as state');
      if (rows[0].state !== 'paused') throw new Error(rows[0].state);
    }),
  );
}

const checks: readonly RungCheck[] = [1, 2, 3, 4, 5, 6, 7, 8].map((rung) => ({
  rung,
  title: `rung ${rung}`,
  passed: true,
  tool: 'tool',
  toolVersion: '1',
  durationMs: 1,
  detail: 'ok',
}));

async function orderFor(copy: TestCluster, runId = 'run-1', system?: string) {
  systems += system === undefined ? 1 : 0;
  const at = stepOf(runId, system ?? `system-${systems}`);
  const token = await withVault(vault.bucket, never, (open) =>
    acquireFencingToken(open, { ...at, ...point }),
  );
  const fence: FenceProof = {
    token,
    refusedWrite: { at: point.time, as: 'app', answer: '28000 not permitted to log in' },
    terminatedSessions: 0,
    lastWriteAt: null,
    census: {},
    summary: '',
  };
  const lsn = await copy.admin(async (client) => {
    const { rows } = await client.query('select pg_last_wal_replay_lsn()::text as lsn');
    return rows[0].lsn as string;
  });
  return {
    at,
    target: copy.at,
    damaged: primary.at,
    vault: vault.bucket,
    point,
    restored: { lsn },
    fence,
    checks,
  };
}

describe('a promotion', () => {
  let copy: TestCluster;
  beforeEach(async () => {
    copy = await restoredCopy();
  });
  afterEach(() => copy?.remove());

  const recovering = () =>
    copy.admin(async (client) => (await client.query('select pg_is_in_recovery() as yes')).rows[0].yes);
  const amounts = () =>
    copy.admin(async (client) =>
      (await client.query('select amount from payment order by 1')).rows.map(({ amount }) => amount),
    );

  test('opens the copy at the point, replays nothing past it, and is found done when the answer was lost', async () => {
    const order = await orderFor(copy);
    const first = await promote(order);
    expect(first).toMatchObject({ timeline: 2, alreadyDone: false });
    expect(await recovering()).toBe(false);
    expect(await amounts()).toEqual([1]);
    await copy.admin((client) => client.query('insert into payment (amount) values (2)'));

    const again = await promote(order);
    expect(again).toMatchObject({ ...first, alreadyDone: true, summary: expect.any(String) });
    expect(await amounts()).toEqual([1, 2]);
    const record = await withVault(vault.bucket, never, (open) =>
      readPromotion(open, order.at.system, order.at.runId),
    );
    expect(record?.done).toMatchObject({ site: 'recovery', timeline: 2, promotedAt: first.promotedAt });
  });

  test('by two attempts of one run at once happens once, and both end well', async () => {
    const order = await orderFor(copy);
    const outcomes = await Promise.allSettled([promote(order), promote(order)]);
    for (const outcome of outcomes) {
      // The loser of the race may find recovery ended under its hands: that is worth a retry.
      if (outcome.status === 'rejected') expect(await promote(order)).toMatchObject({ alreadyDone: true });
    }
    expect(
      await copy.admin((client) => client.query('select pg_walfile_name(pg_current_wal_lsn()) as file')),
    ).toMatchObject({
      rows: [{ file: expect.stringMatching(/^00000002/) }],
    });
  });

  test('is refused to what was not verified', async () => {
    const order = await orderFor(copy);
    const failed = checks.map((check) => (check.rung === 5 ? { ...check, passed: false } : check));
    await expect(promote({ ...order, checks: failed })).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'NotVerified',
      message: expect.stringContaining('rung 5 failed'),
    });
    await expect(promote({ ...order, checks: checks.slice(0, 6) })).rejects.toMatchObject({
      code: 'NotVerified',
      message: expect.stringContaining('rungs 7, 8'),
    });
    await expect(promote({ ...order, checks: [] })).rejects.toMatchObject({ code: 'NotVerified' });
    expect(await recovering()).toBe(true);
  });

  test('is refused to a copy that does not stand where it was verified', async () => {
    const order = await orderFor(copy);
    await expect(promote({ ...order, restored: { lsn: '0/1' } })).rejects.toMatchObject({
      code: 'NotAtPoint',
      message: expect.stringContaining('was verified at 0/1 and stands at'),
    });
    expect(await recovering()).toBe(true);
  });

  test('is refused without a fence, and to a run whose fence was overtaken', async () => {
    const order = await orderFor(copy);
    const unproven = { ...order.fence, refusedWrite: null };
    await expect(promote({ ...order, fence: unproven })).rejects.toMatchObject({ code: 'NotFenced' });
    const newer = await orderFor(copy, 'run-2', order.at.system);
    await expect(promote(order)).rejects.toMatchObject({ code: 'FenceSuperseded' });
    expect(await recovering()).toBe(true);
    expect(await promote(newer)).toMatchObject({ timeline: 2 });
  });

  test('is refused when somebody has taken the fence away since, or put another server there', async () => {
    const order = await orderFor(copy);
    // It answers, and lets the application in.
    await primary.start();
    try {
      await expect(promote(order)).rejects.toMatchObject({
        name: 'PermanentError',
        code: 'FenceNotProven',
        message: expect.stringContaining('could write'),
        details: { nothingDone: true },
      });
    } finally {
      await primary.stop('fast');
    }
    expect(await recovering()).toBe(true);
  });

  test('is not held up by a fenced host that has gone silent', async () => {
    const order = await orderFor(copy);
    const { silentPort } = await freePorts({ silentPort: { addresses: ['127.0.0.1'] } });
    const silent = createServer((socket) => socket.unref());
    await new Promise<void>((resolve) => silent.listen(silentPort, '127.0.0.1', () => resolve()));
    try {
      const damaged = { ...primary.at, postgres: { ...primary.at.postgres, port: silentPort } };
      expect(await promote({ ...order, damaged })).toMatchObject({ timeline: 2, alreadyDone: false });
    } finally {
      silent.close();
    }
  });

  test('that failed says whether it has done anything: without the token, nothing', async () => {
    const order = await orderFor(copy);
    const elsewhere = { ...order, restored: { lsn: '0/1' } };
    await expect(promote(elsewhere)).rejects.toMatchObject({
      code: 'NotAtPoint',
      details: { nothingDone: true },
    });
    await promote(order);
    const failed = await promote({ ...order, checks: [] }).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 'NotVerified' });
    expect(failed).not.toMatchObject({ details: { nothingDone: true } });
  });

  test('is refused to a run that comes after another one took the token', async () => {
    const order = await orderFor(copy);
    await withVault(vault.bucket, never, (open) =>
      takePromotionToken(open, {
        ...order.at,
        ...point,
        fencingToken: order.fence.token,
        site: 'elsewhere',
        replayLsn: '0/1',
        checksSha256: 'x',
      }),
    );
    await expect(promote({ ...order, at: { ...order.at, runId: 'run-2' } })).rejects.toMatchObject({
      code: 'PromotionHeld',
      message: expect.stringContaining('run-1'),
    });
    await expect(promote(order)).rejects.toMatchObject({ code: 'PromotionHeld' });
    expect(await recovering()).toBe(true);
  });

  test("done by somebody else is not taken for this run's", async () => {
    const order = await orderFor(copy);
    await copy.admin((client) => client.query('select pg_promote()'));
    await expect(promote(order)).rejects.toMatchObject({ code: 'PromotedByOther' });
  });

  test('is refused to a copy that is not at the point any more, and to another system', async () => {
    const order = await orderFor(copy);
    await expect(promote({ ...order, point: { ...point, systemIdentifier: '1' } })).rejects.toMatchObject({
      code: 'WrongServer',
    });
    await expect(
      promote({ ...order, point: { ...point, time: '2020-01-01T00:00:00.000000Z' } }),
    ).rejects.toMatchObject({ code: 'NotAtPoint' });
    expect(await recovering()).toBe(true);
  });

  test('that went on past the position of the token is refused', async () => {
    const order = await orderFor(copy);
    await withVault(vault.bucket, never, (open) =>
      takePromotionToken(open, {
        ...order.at,
        ...point,
        fencingToken: order.fence.token,
        site: 'recovery',
        replayLsn: '0/1',
        checksSha256: 'x',
      }),
    );
    await expect(promote(order)).rejects.toMatchObject({
      code: 'NotAtPoint',
      message: expect.stringContaining('0/1'),
    });
    await copy.admin((client) => client.query('select pg_promote()'));
    await expect(promote(order)).rejects.toMatchObject({ code: 'PromotionWrong' });
  });
});

test('a copy that archives nothing, or refuses writes by default, is not promoted', async () => {
  for (const setting of ['archive_mode = off', 'default_transaction_read_only = on']) {
    const copy = await restoredCopy([setting]);
    try {
      await expect(promote(await orderFor(copy))).rejects.toMatchObject({ code: 'NotProductionSettings' });
    } finally {
      await copy.remove();
    }
  }
});
