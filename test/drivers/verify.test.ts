import { chown, copyFile, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RecoveryPoint, RestoreResult } from '../../activities/contract.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { restoreActivities } from '../../activities/restore/index.js';
import { serviceOf } from '../../activities/service/index.js';
import { verifyActivities } from '../../activities/verify/index.js';
import type { Application, DataClass, Invariant } from '../../src/runbook/schema.js';
import { flipByte, startTestCluster, type TestCluster } from '../support/cluster.js';
import { flipped, harmed, inWords, type Place, randomPlaces } from '../support/damage.js';
import { type Damageable, damageable, groupsOf, placesIn, verified } from '../support/repository-damage.js';

const verify = verifyActivities();
const { restoreDatabase } = restoreActivities();
const { provisionTarget } = provisionActivities({ promotionOf: async () => undefined });

let cluster: TestCluster;
let point: RecoveryPoint;
let restored: RestoreResult;

async function restoreTo(to: RecoveryPoint): Promise<RestoreResult> {
  const { at, target, backup } = cluster;
  const provisioned = await provisionTarget({ at, target, point: to });
  return restoreDatabase({ at, target, provisioned, backup, point: to });
}

beforeAll(async () => {
  cluster = await startTestCluster();
  await serviceOf(cluster.primary.postgres).stop('fast');
  point = cluster.point(cluster.marks.twoHundred);
  restored = await restoreTo(point);
});
afterAll(() => cluster?.close());

const dataClasses: Record<string, DataClass> = {
  entries: { rpo: 300_000, component: 'database', table: 'ledger.entries', key: 'id', time: 'at' },
};

function invariant(sql: string, parameters: string[] = []): Invariant {
  return { name: 'rule', title: 'The rule', sql, parameters, timeout: 10_000 };
}

/** Breaks the file of a relation while the server is stopped, runs the work, and mends it again. */
async function damaged<T>(
  relation: string,
  harm: (file: string) => Promise<void>,
  mend: (file: string) => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  const path = await cluster.as(cluster.target, async (client) => {
    const { rows } = await client.query('select pg_relation_filepath($1::regclass) as path', [relation]);
    return rows[0].path as string;
  });
  const file = join(cluster.target.postgres.service.dataDirectory, path);
  const service = serviceOf(cluster.target.postgres);
  await service.stop('fast');
  await harm(file);
  try {
    await restoreTo(point);
    return await work();
  } finally {
    await service.stop('fast');
    await mend(file);
    await restoreTo(point);
  }
}

const flip = (file: string) => flipByte(file, 8_000);

describe('a sound copy', () => {
  test('passes every rung, with tool, version and what was seen', async () => {
    const { at, target, backup } = cluster;
    const results = [
      await verify.verifyPoint({ at, target, point, restored }),
      await verify.verifyFiles({ at, target, point, restored }),
      await verify.verifyRepository({ at, target, backup, point }),
      await verify.verifyOtherCopies({ at, target, backup, point, lookedAt: [1] }),
      await verify.verifyStructure({ at, target, jobs: 2 }),
      await verify.verifyDump({ at, target, jobs: 2 }),
      await verify.verifyInvariants({
        at,
        target,
        invariants: [invariant('select id from ledger.entries where amount < 0')],
        dataClasses,
        point,
      }),
    ];
    const checks = results.flatMap((one) => one.checks);

    expect(checks.map((one) => one.rung)).toEqual([4, 2, 3, 1, 1, 1, 1, 5, 6, 7, 7, 7, 7]);
    for (const one of checks) {
      expect(one).toMatchObject({ passed: true, toolVersion: expect.stringMatching(/\d/) });
      expect(one.detail).not.toBe('');
    }
    const details = checks.map((one) => one.detail).join('\n');
    expect(details).toMatch(/pages .* none with a bad checksum/);
    expect(details).toMatch(/WAL segments .* without a gap, timeline 1/);
    expect(details).toMatch(/entries: 200 rows/);
    expect(details).toMatch(/the next commit, of \S+Z, is not in it/);
  });
});

describe('rung 1, repository', () => {
  test('a damaged repository is named with its file, the other one carries the rung', async () => {
    const { config, folder } = await cluster.copyRepositories('rung1-one');
    await flipByte(join(folder, 'repo1', 'backup', 'main', cluster.labels[1] ?? '', 'bundle', '1'), 200_000);
    const { at, backup } = cluster;
    const result = await verify.verifyRepository({ at, target: cluster.withConfig(config), backup, point });

    expect(result.lookedAt).toEqual([1, 2]);
    expect(result.checks.every((one) => one.title.includes('repository 2 (east)'))).toBe(true);
    expect(result.summary).toMatch(/NOT SOUND: repository 1 \(west\).*invalid checksum \S+F\/pg_data\//);
  });

  test('of a sound repository leaves the others to a step of their own, which tells what is wrong with them', async () => {
    const { config, folder } = await cluster.copyRepositories('rung1-other');
    await flipByte(join(folder, 'repo2', 'backup', 'main', cluster.labels[2] ?? '', 'bundle', '1'), 200_000);
    const order = { at: cluster.at, target: cluster.withConfig(config), backup: cluster.backup, point };
    const { lookedAt, checks } = await verify.verifyRepository(order);
    expect([lookedAt, checks.length]).toEqual([[1], 2]);

    const others = await verify.verifyOtherCopies({ ...order, lookedAt });
    expect(others.checks).toEqual([]);
    expect(others.unsound).toEqual([
      expect.stringMatching(/^repository 2 \(east\): .*invalid checksum \S+F\/pg_data\//),
    ]);
    expect(others.summary).toContain('NOT SOUND: repository 2 (east)');
    expect(await verify.verifyOtherCopies({ ...order, lookedAt: [1, 2] })).toMatchObject({
      unsound: [],
      summary: 'no other repository holds what this recovery needs',
    });
  });

  test('fails when the set of the only repository lost its manifest, which pgBackRest calls ok', async () => {
    const { config, folder } = await cluster.copyRepositories('rung1-manifest');
    for (const name of ['backup.manifest', 'backup.manifest.copy']) {
      await rm(join(folder, 'repo1', 'backup', 'main', cluster.labels[1] ?? '', name));
    }
    const { at, backup } = cluster;
    const one = cluster.point(cluster.marks.twoHundred, [1]);

    await expect(
      verify.verifyRepository({ at, target: cluster.withConfig(config), backup, point: one }),
    ).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringMatching(/^Rung 1, .*manifest missing/),
    });
  });

  test('fails when a WAL segment between backup and point is missing, which pgBackRest does not check', async () => {
    const { config, folder } = await cluster.copyRepositories('rung1-wal');
    const archive = join(folder, 'repo1', 'archive', 'main', '15-1', point.walEnd.slice(0, 16));
    for (const name of await readdir(archive)) {
      if (name.startsWith(point.walEnd)) await rm(join(archive, name));
    }
    const { at, backup } = cluster;
    const one = cluster.point(cluster.marks.twoHundred, [1]);

    await expect(
      verify.verifyRepository({ at, target: cluster.withConfig(config), backup, point: one }),
    ).rejects.toMatchObject({ code: 'VerificationFailed', message: expect.stringContaining(point.walEnd) });
  });
});

// Hundreds of places, and other damage: test/fuzz/damage.
describe('rung 1, damage of any kind', () => {
  let repository: Damageable;
  let config: string;

  beforeAll(async () => {
    const copy = await cluster.copyRepositories('rung1-any');
    config = copy.config;
    repository = await damageable(cluster, config, copy.folder);
  });

  const rung1 = (over: Partial<RecoveryPoint> = {}, from = config) => {
    const { at, backup } = cluster;
    const target = cluster.withConfig(from);
    return verify.verifyRepository({ at, target, backup, point: { ...repository.point, ...over } });
  };

  test('a bit in each of a handful of files is found, and the files are named', async () => {
    const [group = []] = groupsOf(placesIn(repository, 10));
    const segments = (await randomPlaces(repository.segments, 4)).filter(
      ({ file }, index, all) => all.findIndex((other) => other.file === file) === index,
    );
    const names = [...group, ...segments].map((one: Place & { name?: string }) =>
      one.name === undefined ? basename(one.file).slice(0, 24) : one.name,
    );
    const found = await flipped([...group, ...segments], () => verified(repository, names));
    const places = group.map((place) => inWords(place, repository.folder));
    expect({ places, ...found }).toEqual({ places, problem: expect.stringMatching(/wrong/), unnamed: [] });
  });

  test('of a list that is kept twice the good one is used, and the bad one is told', async () => {
    const [place] = await randomPlaces(repository.lists, 1);
    if (place === undefined) throw new TypeError('a list is not empty');
    const { summary } = await flipped([place], () => rung1());
    expect({ where: inWords(place), summary }).toEqual({
      where: inWords(place),
      summary: expect.stringMatching(/NOT WHOLE, though readable: .*(differ|cannot be read)/),
    });
  });

  test.each<[string, (list: string) => Promise<void>]>([
    ['empty', (list) => truncate(list, 0)],
    ['huge', (list) => truncate(list, 64 * 1024 ** 2)],
    ['missing', (list) => rm(list)],
  ])('a manifest that is %s in both its copies fails the rung', async (_what, harm) => {
    const [manifest = '', copy = ''] = repository.lists.filter((list) => list.includes('manifest'));
    await harmed(manifest, repository.folder, async () => {
      await rename(copy, `${repository.folder}/copy.kept`);
      try {
        await harm(manifest);
        await expect(rung1()).rejects.toMatchObject({ code: 'VerificationFailed' });
      } finally {
        await rename(`${repository.folder}/copy.kept`, copy);
      }
    });
  });

  test("another system's backups, and a passphrase of somebody else, are called that", async () => {
    await expect(rung1({ systemIdentifier: '7000000000000000001' })).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringContaining('not of the cluster with system identifier 7000000000000000001'),
    });
    const wrong = `${config}.wrong`;
    await copyFile(config, wrong);
    await writeFile(wrong, (await readFile(config, 'utf8')).replaceAll('test-passphrase-', 'another-'));
    const { uid, gid } = await stat(config);
    await chown(wrong, uid, gid);
    await expect(rung1({}, wrong)).rejects.toMatchObject({ code: 'WrongRepositoryKey' });
  });
});

describe('rungs 2 and 3, files', () => {
  test('a page with a bad checksum is named', async () => {
    const { at, target } = cluster;
    await damaged('ledger.holders', flip, flip, async () => {
      await expect(verify.verifyFiles({ at, target, point, restored })).rejects.toMatchObject({
        code: 'VerificationFailed',
        message: expect.stringMatching(/^Rung 3, page checksums: 1 pages .*base\/\d+\/\d+, block 0/),
      });
    });
  });

  test('a copy of another cluster is refused', async () => {
    const { at, target } = cluster;
    const other = { ...point, systemIdentifier: '1234567890123456789' };
    await expect(verify.verifyFiles({ at, target, point: other, restored })).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringMatching(
        /^Rung 2, control data: system identifier \d+ instead of 1234567890123456789/,
      ),
    });
    await restoreTo(point);
  });
});

describe('rung 4, point', () => {
  test('a copy that holds commits of after the point is refused', async () => {
    const { at, target } = cluster;
    const earlier = cluster.point(cluster.marks.hundred);
    await expect(verify.verifyPoint({ at, target, point: earlier, restored })).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringMatching(/newest commit is of \S+Z, not before/),
    });
  });

  test('a copy that lacks commits of before the point is refused', async () => {
    const { at, target } = cluster;
    const later = { ...point, time: '2099-01-01T00:00:00.000000Z' };
    await expect(verify.verifyPoint({ at, target, point: later, restored })).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringMatching(/missing from the copy/),
    });
  });
});

describe('rungs 5 and 6, content', () => {
  test('a broken index is found', async () => {
    const { at, target } = cluster;
    await damaged(
      'ledger.holders_pkey',
      (file) => flipByte(file, 8_192 + 8_100),
      (file) => flipByte(file, 8_192 + 8_100),
      async () => {
        await expect(verify.verifyStructure({ at, target, jobs: 1 })).rejects.toMatchObject({
          code: 'VerificationFailed',
          message: expect.stringContaining('holders_pkey'),
        });
      },
    );
  });

  test('a table that cannot be read is named', async () => {
    const { at, target } = cluster;
    await damaged('ledger.holders', flip, flip, async () => {
      await expect(verify.verifyDump({ at, target, jobs: 1 })).rejects.toMatchObject({
        code: 'VerificationFailed',
        message: expect.stringContaining('table ledger.holders'),
      });
    });
  });
});

describe('rung 7, rules', () => {
  test('a broken invariant is told with its number and examples', async () => {
    const { at, target } = cluster;
    const invariants = [invariant('select id, amount from ledger.entries where amount > 150;')];
    await expect(
      verify.verifyInvariants({ at, target, invariants, dataClasses, point }),
    ).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringMatching(/50 rows break rule, for instance \{"id":151,"amount":151\}/),
    });
  });

  test('a rule that cannot be asked is no rule that holds, and shows no secret', async () => {
    const { at, target } = cluster;
    process.env.MUSTER_TEST_KEY = 'not-a-number';
    const invariants = [
      invariant('select id from ledger.entries where amount = $1::int', ['env:MUSTER_TEST_KEY']),
    ];
    const failure = await verify
      .verifyInvariants({ at, target, invariants, dataClasses, point })
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ code: 'InvariantUnanswered' });
    expect(JSON.stringify(failure) + String(failure)).not.toContain('not-a-number');
  });

  test('a table cut short on disk is noticed by what refers to it', async () => {
    const { at, target } = cluster;
    const keep = join(cluster.folder, 'kept-holders');
    await damaged(
      'ledger.holders',
      async (file) => {
        await copyFile(file, keep);
        await truncate(file, 0);
      },
      async (file) => writeFile(file, await readFile(keep)),
      async () => {
        await expect(
          verify.verifyInvariants({ at, target, invariants: [], dataClasses, point }),
        ).rejects.toMatchObject({
          message: expect.stringContaining('50 rows of ledger.accounts refer to none of ledger.holders'),
        });
      },
    );
  });

  test('orphans, a sequence that is behind and an empty data class are all told at once', async () => {
    const { at, target } = cluster;
    const rewritten = cluster.point(cluster.marks.rewritten);
    await restoreTo(rewritten);
    const nothing: DataClass = { ...(dataClasses.entries as DataClass), table: 'ledger.nothing' };
    const failure = await verify
      .verifyInvariants({ at, target, invariants: [], dataClasses: { nothing }, point: rewritten })
      .catch((error: Error) => error.message);
    await restoreTo(point);

    expect(failure).toContain('1 rows of ledger.entries refer to none of ledger.accounts');
    expect(failure).toContain('ledger.entries.id holds 5000');
    expect(failure).toContain('ledger.nothing (nothing) is empty');
  });
});

describe('rung 8, application', () => {
  const server = `
    const http = require('node:http');
    http.createServer((request, response) => {
      if (request.url === '/health') return response.writeHead(200).end('ok');
      if (request.url === '/database') {
        response.writeHead(200, { 'content-type': 'application/json' });
        return response.end(JSON.stringify({ port: Number(process.env.MUSTER_DATABASE_PORT), leaked: process.env.MUSTER_TEST_KEY ?? 'none' }));
      }
      if (request.url === '/hangs-up') return request.socket.destroy();
      response.writeHead(500).end('broken');
    }).listen(process.env.MUSTER_PORT, '127.0.0.1');
    require('node:fs').writeFileSync(process.env.PID_FILE, String(process.pid));`;

  const pidFile = () => join(cluster.folder, 'trial.pid');
  async function isEnded(): Promise<boolean> {
    const pid = Number(await readFile(pidFile(), 'utf8'));
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  }

  async function application(
    path: string,
    expectBody: Record<string, string | number>,
  ): Promise<Application> {
    const file = join(cluster.folder, 'trial.cjs');
    await writeFile(file, server);
    return {
      component: 'core-api',
      url: 'http://127.0.0.1:1',
      healthPath: '/health',
      trial: { command: [process.execPath, file], environment: { PID_FILE: pidFile() } },
      functions: [
        {
          name: 'read',
          title: 'Something can be read',
          readOnly: true,
          exchanges: [{ title: 'read it', method: 'GET', path, expectStatus: 200, expectBody }],
        },
        {
          name: 'write',
          title: 'Never tried on a copy',
          readOnly: false,
          exchanges: [{ title: 'write it', method: 'POST', path: '/write', expectStatus: 201 }],
        },
      ],
    };
  }

  test('is started against the copy with a clean environment, tried and ended', async () => {
    process.env.MUSTER_TEST_KEY = 'secret';
    const { at, target } = cluster;
    const result = await verify.verifyApplication({
      at,
      target,
      application: await application('/database', { port: target.postgres.port, leaked: 'none' }),
    });
    expect(result.checks.map((one) => one.title)).toEqual([
      'the application is healthy',
      'Something can be read',
    ]);
    expect(await isEnded()).toBe(true);
  });

  test('an answer that is not the expected one fails the rung with the exchange and what the application said', async () => {
    const { at, target } = cluster;
    await expect(
      verify.verifyApplication({ at, target, application: await application('/missing', {}) }),
    ).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringMatching(
        /read it, GET http:\/\/127.0.0.1:\d+\/missing: status 500 instead of 200.*The answer was: broken/,
      ),
    });
  });

  test('an application that hangs up has said nothing of the copy: it is tried again', async () => {
    const { at, target } = cluster;
    await expect(
      verify.verifyApplication({ at, target, application: await application('/hangs-up', {}) }),
    ).rejects.toMatchObject({ name: 'TransientError', code: 'ApplicationUnreachable' });
    expect(await isEnded()).toBe(true);
  });

  test('an application that does not start fails the rung with its last words', async () => {
    const { at, target } = cluster;
    const dead = await application('/database', {});
    const trial = {
      command: [process.execPath, '-e', 'console.error("no licence"); process.exit(3)'],
      environment: {},
    };
    await expect(
      verify.verifyApplication({ at, target, application: { ...dead, trial } }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/it ended with 3.*no licence/) });
  });

  test('an application that the runbook does not say how to start fails the rung: nothing untried is promoted', async () => {
    const { at, target } = cluster;
    const { trial, ...untried } = await application('/database', {});
    expect(trial).toBeDefined();
    await expect(verify.verifyApplication({ at, target, application: untried })).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringContaining('names no way to start it'),
    });
  });
});
