import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { DatabaseAt, RecoveryPoint } from '../../activities/contract.js';
import { fenceCommands } from '../../activities/fence/commands.js';
import { fenceActivities } from '../../activities/fence/index.js';
import { postgresLogin } from '../../activities/fence/postgres-login.js';
import { proveRefusal } from '../../activities/fence/proof.js';
import { freePorts } from '../../lab/ports.js';
import { waitFor } from '../../lab/wait.js';
import { messageOf } from '../../src/errors.js';
import { APP_PASSWORD, generationOf, makeCluster, PAYMENTS, type TestCluster } from './support/postgres.js';
import { startVault, type TestVault } from './support/s3.js';
import { pointAt, stepOf } from './support/steps.js';

const { fencePrimary, fenceWithoutProof, liftFence } = fenceActivities();
const dataClasses = { transactions: PAYMENTS };
const never = new AbortController().signal;
let vault: TestVault;
let primary: TestCluster;
let point: RecoveryPoint;
let systems = 0;

beforeAll(async () => {
  [vault, primary] = await Promise.all([startVault(), makeCluster()]);
  point = pointAt(await generationOf(primary), new Date().toISOString());
  await primary.admin((client) =>
    client.query(`
      create role clerk login superuser password 'clerk-secret';
      create role idle nologin;
      create role copier login replication password 'copier-secret'`),
  );
});
afterAll(async () => {
  await Promise.all([vault.remove(), primary.remove()]);
});

/** A system name of its own a test, so that the claims of one do not meet those of another. */
function freshStep(runId = 'run-1') {
  systems += 1;
  return stepOf(runId, `system-${systems}`);
}

function order(runId = 'run-1', damaged: DatabaseAt = primary.at) {
  const { systemIdentifier, timeline } = point;
  return {
    runId,
    damaged,
    systemIdentifier,
    timeline,
    token: 1,
    since: point.time,
    dataClasses,
    signal: never,
    attempts: 3,
    requireInCharge: async () => undefined,
  };
}

async function logins(): Promise<Record<string, boolean>> {
  return primary.admin(async (client) => {
    const { rows } = await client.query(
      `select rolname as name, rolcanlogin as login from pg_roles where rolname !~ '^pg_' order by 1`,
    );
    return Object.fromEntries(rows.map(({ name, login }) => [name, login]));
  }, 'postgres');
}

async function refusalOf(user: string, password: string): Promise<string | undefined> {
  try {
    const client = await primary.open(user, password);
    await client.end();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

describe('a fence', () => {
  test('ends writers, counts what they wrote, shuts out even superusers, and is undone exactly', async () => {
    const at = freshStep();
    const before = await logins();
    const writer = await primary.open('app', APP_PASSWORD);
    const superuser = await primary.open('clerk', 'clerk-secret');
    await writer.query('insert into payment default values; insert into payment default values');
    await superuser.query('begin; insert into payment default values');

    const proof = await fencePrimary({ at, damaged: primary.at, vault: vault.bucket, point, dataClasses });

    expect(proof.refusedWrite).toMatchObject({ as: 'app', answer: expect.stringMatching(/^28000 .*log in/) });
    expect(proof.terminatedSessions).toBeGreaterThanOrEqual(2);
    // The transaction that was open is rolled back: it does not count.
    expect(proof.census).toEqual({ transactions: { records: 2, newest: proof.lastWriteAt } });
    expect(Date.parse(proof.lastWriteAt ?? '')).toBeGreaterThan(Date.parse(point.time));
    await expect(writer.query('insert into payment default values')).rejects.toThrow();
    await expect(superuser.query('commit')).rejects.toThrow();
    expect(await refusalOf('app', APP_PASSWORD)).toBe('28000');
    expect(await refusalOf('clerk', 'clerk-secret')).toBe('28000');
    expect(await refusalOf('muster', undefined as never)).toBe('55000');

    await liftFence({ at, damaged: primary.at, vault: vault.bucket });
    expect(await logins()).toEqual(before);
    expect(await refusalOf('app', APP_PASSWORD)).toBeUndefined();
    const again = await liftFence({ at, damaged: primary.at, vault: vault.bucket });
    expect(again.summary).toContain('nothing to undo');
  });

  test('done again after an answer that was lost gives the same token, and one undo is enough', async () => {
    const at = freshStep();
    const before = await logins();
    const call = () => fencePrimary({ at, damaged: primary.at, vault: vault.bucket, point, dataClasses });
    const first = await call();
    const second = await call();
    expect(second.token).toBe(first.token);
    expect(second.census).toEqual(first.census);
    await liftFence({ at, damaged: primary.at, vault: vault.bucket });
    expect(await logins()).toEqual(before);
  });

  test('cut off after any statement is completed by the next attempt and undone exactly', async () => {
    const before = await logins();
    let survived = 0;
    for (; await diedAfter(survived, () => postgresLogin.fence(order())); survived++) {
      const proof = await postgresLogin.fence(order());
      expect(proof.refusedWrite?.answer).toMatch(/^28000 /);
      await postgresLogin.lift(order());
      expect(await logins()).toEqual(before);
    }
    expect(survived).toBeGreaterThan(15);
    await postgresLogin.lift(order());
  });

  test('whose undo was cut off after any statement is undone by the next attempt', async () => {
    const before = await logins();
    await postgresLogin.fence(order());
    const lift = () => postgresLogin.lift(order());
    let survived = 0;
    for (; await diedAfter(survived, lift); survived++) {
      expect(await refusalOf('app', APP_PASSWORD)).toBe('28000');
    }
    expect(survived).toBeGreaterThan(5);
    expect(await logins()).toEqual(before);
    expect(await refusalOf('app', APP_PASSWORD)).toBeUndefined();
  });

  test('that was frozen before any statement does nothing when it wakes after its undo', async () => {
    const before = await logins();
    // Every other statement, and the ones between in the next test.
    let survived = 0;
    for (; ; survived += 2) {
      const at = freshStep();
      const given = { at, damaged: primary.at, vault: vault.bucket, point, dataClasses };
      const frozen = await frozenAfter(survived, () => fencePrimary(given));
      if (frozen === undefined) {
        await liftFence({ at, damaged: primary.at, vault: vault.bucket });
        break;
      }
      await liftFence({ at, damaged: primary.at, vault: vault.bucket });
      await expect(frozen()).rejects.toThrow();
      expect(await logins()).toEqual(before);
      expect(await refusalOf('app', APP_PASSWORD)).toBeUndefined();
    }
    expect(survived).toBeGreaterThan(15);
  }, 60_000);

  test('that was frozen before any statement does not hold the next attempt up', async () => {
    const before = await logins();
    let survived = 1;
    for (; ; survived += 2) {
      const at = freshStep();
      const given = { at, damaged: primary.at, vault: vault.bucket, point, dataClasses };
      const frozen = await frozenAfter(survived, () => fencePrimary(given));
      const proof = await fencePrimary(given);
      expect(proof.refusedWrite?.answer).toMatch(/^28000 /);
      // Before its connection stands, an attempt that wakes is as good as a third one.
      await frozen?.().catch(() => undefined);
      expect(await refusalOf('app', APP_PASSWORD)).toBe('28000');
      await liftFence({ at, damaged: primary.at, vault: vault.bucket });
      expect(await logins()).toEqual(before);
      if (frozen === undefined) break;
    }
    expect(survived).toBeGreaterThan(15);
  }, 60_000);

  test('of another run is neither taken over by an older token nor lifted', async () => {
    await postgresLogin.fence({ ...order('run-2'), token: 7 });
    await expect(postgresLogin.fence({ ...order('run-1'), token: 3 })).rejects.toMatchObject({
      code: 'FenceSuperseded',
      message: expect.stringContaining('run-2'),
    });
    await expect(postgresLogin.lift(order())).rejects.toMatchObject({
      code: 'FenceSuperseded',
    });
    await postgresLogin.lift(order('run-2'));
  });

  test('leaves a server alone that is not the one the point was made for', async () => {
    const before = await logins();
    await expect(postgresLogin.fence({ ...order(), systemIdentifier: '1' })).rejects.toMatchObject({
      code: 'WrongServer',
    });
    await expect(postgresLogin.fence({ ...order(), timeline: 9 })).rejects.toMatchObject({
      code: 'WrongServer',
    });
    expect(await logins()).toEqual(before);
    expect(await refusalOf('app', APP_PASSWORD)).toBeUndefined();
  });

  test('does without a count where a table is gone', async () => {
    const missing = { ...PAYMENTS, table: 'public.gone' };
    const proof = await postgresLogin.fence({ ...order(), dataClasses: { ...dataClasses, missing } });
    expect(Object.keys(proof.census)).toEqual(['transactions']);
    await postgresLogin.lift(order());
  });

  test('done by hand with the printed commands holds, and their undo is the undo', async () => {
    const before = await logins();
    const [shut, end, close, flush, proof, undo] = fenceCommands({ damaged: primary.at });
    for (const step of [shut, end, close, flush]) await shell(step?.command ?? '');
    await expect(shell(proof?.command ?? '', APP_PASSWORD)).rejects.toThrow('not permitted to log in');
    expect(await refusalOf('muster', undefined as never)).toBe('55000');
    await shell(undo?.command ?? '');
    expect(await logins()).toEqual(before);
  });
});

describe('the proof', () => {
  let silent: Server;
  let knocks = 0;
  let silentPort: number;
  beforeAll(async () => {
    ({ silentPort } = await freePorts({ silentPort: { addresses: ['127.0.0.1'] } }));
    silent = createServer(() => {
      knocks += 1;
    });
    await new Promise<void>((resolve) => silent.listen(silentPort, '127.0.0.1', () => resolve()));
  });
  afterAll(() => silent.close());

  test('fails when the application can still write', async () => {
    await expect(proveRefusal(primary.at)).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'FenceNotProven',
      message: expect.stringContaining('could write'),
    });
  });

  test('fails when a role was made after the fence and can write', async () => {
    await postgresLogin.fence(order());
    await primary.admin(async (client) => {
      await client.query('alter database ledger allow_connections true; alter role app login');
    }, 'postgres');
    await expect(proveRefusal(primary.at)).rejects.toMatchObject({ code: 'FenceNotProven' });
    await postgresLogin.lift(order());
  });

  test('is not a wrong password', async () => {
    const wrong = join(primary.folder, 'wrong');
    await writeFile(wrong, 'wrong-secret');
    const application = { user: 'app', password: `file:${wrong}` };
    await expect(
      proveRefusal({ site: 'west', postgres: { ...primary.at.postgres, application } }),
    ).rejects.toMatchObject({ code: 'FenceNotProven', message: expect.stringContaining('28P01') });
  });

  test('is not a refusal by pg_hba.conf, which another client may pass', async () => {
    const hba = join(primary.at.postgres.service.dataDirectory, 'pg_hba.conf');
    const original = await readFile(hba, 'utf8');
    const reload = () => primary.admin((client) => client.query('select pg_reload_conf()'));
    try {
      await writeFile(hba, `host all app all reject\n${original}`);
      await reload();
      await waitFor({ what: 'the rejection', deadlineMs: 5_000 }, async () => {
        if ((await refusalOf('app', APP_PASSWORD)) !== '28000') throw new Error('not yet');
      });
      await expect(proveRefusal(primary.at)).rejects.toMatchObject({
        code: 'FenceNotProven',
        message: expect.stringContaining('pg_hba.conf'),
      });
    } finally {
      await writeFile(hba, original);
      await reload();
    }
  });

  test('is not silence', async () => {
    await expect(
      proveRefusal({ site: 'west', postgres: { ...primary.at.postgres, port: silentPort } }),
    ).rejects.toMatchObject({ code: 'FenceNotProven' });
  });

  test('is not waited for longer than one attempt where people go on without it', async () => {
    const damaged = { site: 'west', postgres: { ...primary.at.postgres, port: silentPort } };
    knocks = 0;
    const given = { by: ['on-call', 'security-lead'], reason: 'the zone is gone' };
    const fence = await fenceWithoutProof({
      at: freshStep(),
      damaged,
      vault: vault.bucket,
      point,
      ...given,
    });
    expect(fence).toMatchObject({ refusedWrite: null, without: given });
    expect(knocks).toBe(1);
  });

  test('of a primary that cannot be reached is only that its server does not run', async () => {
    const { port } = await freePorts({ port: { addresses: ['127.0.0.1'] } });
    const elsewhere = { site: 'west', postgres: { ...primary.at.postgres, port } };
    await expect(postgresLogin.fence(order('run-1', elsewhere))).rejects.toMatchObject({
      name: 'PermanentError',
      code: 'PrimaryUnreachable',
      why: expect.stringMatching(/Its server runs \(process \d+\)/),
    });

    const stopped = await makeCluster();
    try {
      await stopped.stop();
      const identity = { systemIdentifier: point.systemIdentifier };
      await expect(postgresLogin.fence({ ...order('run-1', stopped.at), ...identity })).rejects.toMatchObject(
        {
          code: 'PrimaryUnreachable',
          why: expect.stringContaining('belongs to system'),
        },
      );
      await stopped.start();
      const generation = await generationOf(stopped);
      await stopped.stop();
      const proof = await postgresLogin.fence({ ...order('run-1', stopped.at), ...generation });
      expect(proof).toMatchObject({ census: {}, lastWriteAt: null, terminatedSessions: 0 });
      expect(proof.refusedWrite?.answer).toContain('no server runs on');
    } finally {
      await stopped.remove();
    }
  });
});

async function shell(command: string, password = 'admin-secret'): Promise<void> {
  await promisify(execFile)('bash', ['-c', command], { env: { ...process.env, PGPASSWORD: password } });
}

/**
 * Lets `survived` statements of the administrator through and breaks off before the next, as a killed worker would.
 * @returns whether the work came that far
 */
async function diedAfter(survived: number, work: () => Promise<unknown>): Promise<boolean> {
  const original = pg.Client.prototype.query;
  let seen = 0;
  const dying = function (this: pg.Client, ...args: unknown[]) {
    seen += 1;
    return seen > survived ? Promise.reject(new Error('worker died')) : Reflect.apply(original, this, args);
  };
  pg.Client.prototype.query = dying as typeof original;
  try {
    await work();
    return false;
  } catch (error) {
    expect(messageOf(error)).toContain('worker died');
    return true;
  } finally {
    pg.Client.prototype.query = original;
  }
}

/**
 * Lets `survived` statements of the administrator through and stands still before the next, as a frozen worker does.
 * @returns lets it go on and gives its outcome; undefined: it came to its end before
 */
async function frozenAfter<T>(
  survived: number,
  work: () => Promise<T>,
): Promise<(() => Promise<T>) | undefined> {
  const original = pg.Client.prototype.query;
  let seen = 0;
  let wake: () => void = () => undefined;
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  let stands: () => void = () => undefined;
  const standing = new Promise<'stands'>((resolve) => {
    stands = () => resolve('stands');
  });
  const freezing = function (this: pg.Client, ...args: unknown[]): unknown {
    seen += 1;
    if (seen <= survived) return Reflect.apply(original, this, args);
    stands();
    return woken.then(() => Reflect.apply(original, this, args));
  };
  pg.Client.prototype.query = freezing as typeof original;
  const outcome = work();
  outcome.catch(() => undefined);
  const first = await Promise.race([standing, outcome]).finally(() => {
    pg.Client.prototype.query = original;
  });
  if (first !== 'stands') return undefined;
  return () => {
    wake();
    return outcome;
  };
}
