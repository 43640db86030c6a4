import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupInfo } from '../../activities/pgbackrest/info.js';
import { examineRepository } from '../../activities/point/candidates.js';
import { type Commits, segmentOfMoment } from '../../activities/point/commits.js';
import { lookInto } from '../../activities/point/holding.js';
import { coverage, pointActivities } from '../../activities/point/index.js';
import { toMoment } from '../../activities/point/moment.js';
import { lastLeg } from '../../activities/point/newest.js';
import { serviceOf } from '../../activities/service/index.js';
import { type Mark, startTestCluster, type TestCluster } from '../support/cluster.js';
import { type OutsideRecord, startRecord } from './support/record.js';

const { proposePoint, proposeNewest } = pointActivities();
let cluster: TestCluster;
let record: OutsideRecord;

beforeAll(async () => {
  [cluster, record] = await Promise.all([startTestCluster(), startRecord()]);
});
afterAll(() => Promise.all([cluster?.close(), record?.close()]));

function order(before: string, backupConfig = cluster.primary.postgres.backupConfig) {
  return {
    at: cluster.at,
    damaged: { ...cluster.primary, postgres: { ...cluster.primary.postgres, backupConfig } },
    backup: cluster.backup,
    before,
    dataClasses: {},
  };
}

async function dropSegment(folder: string, repository: string, mark: Mark): Promise<void> {
  const archive = join(folder, repository, 'archive', 'main', '15-1', mark.walEnd.slice(0, 16));
  for (const name of await readdir(archive)) {
    if (name.startsWith(mark.walEnd)) await rm(join(archive, name));
  }
}

test('a point is proven to be reachable: the backup before it and the very segment that it ends in', async () => {
  for (const mark of Object.values(cluster.marks)) {
    const point = await proposePoint(order(mark.time));
    const { summary: _, ...expected } = cluster.point(mark);
    expect(point).toMatchObject({
      ...expected,
      backup: { ...expected.backup, stoppedAt: toMoment(expected.backup.stoppedAt) },
    });
    expect(point.summary).toContain(expected.backup.label);
  }
});

test('a point just now is reachable, because the live primary hands over what it writes', async () => {
  const before = await cluster.as(cluster.primary, async (client) => {
    await client.query('insert into ledger.notes values (10)');
    return toMoment(new Date().toISOString());
  });
  const point = await proposePoint(order(before));
  expect(point.walEnd > cluster.marks.rewritten.walEnd).toBe(true);
  expect(point.usableRepositories).toEqual([1, 2]);
});

test('times without microseconds and of other zones are the moment that they name', async () => {
  expect(toMoment('2026-11-21T02:59:39Z')).toBe('2026-11-21T02:59:39.000000Z');
  expect(toMoment('2026-11-21 03:59:39.871234567+01')).toBe('2026-11-21T02:59:39.871234Z');
  expect(toMoment('2026-11-20T21:29:39.5-0530')).toBe('2026-11-21T02:59:39.500000Z');
  await expect(proposePoint(order('yesterday'))).rejects.toMatchObject({ code: 'BadMoment' });
  await expect(proposePoint(order('2026-11-21T02:59:39'))).rejects.toMatchObject({ code: 'BadMoment' });
});

test('a time outside of what the backups cover is refused with what they cover', async () => {
  await expect(proposePoint(order('2020-01-01T00:00:00Z'))).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'PointBeforeBackups',
    message: expect.stringMatching(/they begin at \d{4}-\d\d-\d\dT/),
  });
  await expect(proposePoint(order('2999-01-01T00:00:00Z'))).rejects.toMatchObject({
    name: 'PermanentError',
    code: 'PointInFuture',
  });
  const { oldest, newest, live } = await coverage(cluster.primary, cluster.backup);
  const { hundred, rewritten } = cluster.marks;
  expect(live).toBe(true);
  expect(oldest <= hundred.time && newest > rewritten.time).toBe(true);
  expect((await proposePoint(order(oldest))).backup.label).toBe(cluster.labels[1]);
});

test('backups of another system are refused', async () => {
  const { primary, backup, marks } = cluster;
  const sought = { moment: marks.hundred.time, systemIdentifier: '7000000000000000001', timeline: 1 };
  expect(await examineRepository(primary.postgres, backup, 1, sought)).toMatchObject({
    repository: 1,
    error: {
      name: 'PermanentError',
      code: 'WrongSystemIdentifier',
      message: expect.stringContaining('7000000000000000001'),
    },
  });
});

test('a repository with a gap in its WAL is passed over; when all have it, what can still be reached is said', async () => {
  const { twoHundred, hundred } = cluster.marks;
  const { config, folder } = await cluster.copyRepositories('gap');
  await dropSegment(folder, 'repo1', twoHundred);
  const point = await proposePoint(order(twoHundred.time, config));
  expect(point).toMatchObject({
    usableRepositories: [2],
    backup: { repository: 2, label: cluster.labels[2] },
  });
  expect(point.summary).toContain(`segment ${twoHundred.walEnd} is missing in repository 1 (west)`);

  await dropSegment(folder, 'repo2', twoHundred);
  const refusal = await proposePoint(order(twoHundred.time, config)).catch((error) => error);
  expect(refusal).toMatchObject({
    name: 'PermanentError',
    code: 'WalMissing',
    details: { segment: twoHundred.walEnd },
  });
  expect(refusal.details.newest > hundred.time && refusal.details.newest < twoHundred.time).toBe(true);
  expect(await proposePoint(order(hundred.time, config))).toMatchObject({ usableRepositories: [1, 2] });
});

test('what users were told after the point is counted from the outside record, and a dead record holds nothing up', async () => {
  const { time } = cluster.marks.hundred;
  const at = (ms: number) => new Date(Date.parse(time) + ms).toISOString();
  record.records = [-5_000, 1_000, 2_000, 72_000].map((ms, index) => ({ id: `p${index}`, at: at(ms) }));
  const common = { rpo: 300_000, component: 'database', table: 'ledger.entries', key: 'id', time: 'at' };
  const source = (url: string) => ({ ...common, acknowledged: { driver: 'http-ndjson' as const, url } });
  const point = await proposePoint({
    ...order(time),
    dataClasses: { payments: source(record.url), gone: source('http://127.0.0.1:9/gone'), plain: common },
  });
  expect(Object.keys(point.loses)).toEqual(['payments']);
  expect(point.loses.payments?.records).toBe(3);
  expect(Math.round((point.loses.payments?.windowMs ?? 0) / 1000)).toBe(72);
  expect(point.summary).toMatch(
    /loses 3 acknowledged payments over 1 min 12 s.*how many gone it loses cannot be told/,
  );
});

test('a repository that cannot be read is passed over', async () => {
  const { config, folder } = await cluster.copyRepositories('unreadable');
  await rm(join(folder, 'repo1'), { recursive: true });
  const point = await proposePoint(order(cluster.marks.hundred.time, config));
  expect(point.usableRepositories).toEqual([2]);
});

test('with the primary gone, the archive decides how far one can go', async () => {
  await cluster.as(cluster.primary, (client) => client.query('insert into ledger.notes values (20)'));
  await serviceOf(cluster.primary.postgres).stop('immediate');
  const now = toMoment(new Date().toISOString());
  const refusal = await proposePoint(order(now)).catch((error) => error);
  expect(refusal).toMatchObject({ name: 'PermanentError', code: 'PointNotArchived' });
  const range = await coverage(cluster.primary, cluster.backup);
  expect(range).toMatchObject({ live: false, newest: refusal.details.newest });
  expect(range.newest > cluster.marks.rewritten.time && range.newest < now).toBe(true);
  const point = await proposePoint(order(range.newest));
  expect(point).toMatchObject({ timeline: 1, time: range.newest, usableRepositories: [1, 2] });
  expect(point.summary).toContain('the primary could not be asked');
});

describe('the newest point of a lost primary', () => {
  const lost = (from = cluster.target) => ({ at: cluster.at, from, backup: cluster.backup, dataClasses: {} });

  test('is the last commit of the archive, read from the site that is restored to', async () => {
    const point = await proposeNewest(lost());
    const range = await coverage(cluster.primary, cluster.backup);
    expect(point).toMatchObject({
      asked: 'newest',
      through: { at: range.newest, lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) },
      timeline: 1,
      usableRepositories: [1, 2],
    });
    // The first moment that is not restored: a microsecond after that commit.
    expect(point.time > range.newest).toBe(true);
    expect(Date.parse(point.time) - Date.parse(range.newest)).toBeLessThanOrEqual(1);
  });

  test('is that of the repository that leads furthest; a gap ends what can be replayed and is told', async () => {
    const { twoHundred } = cluster.marks;
    const { config, folder } = await cluster.copyRepositories('short');
    await dropSegment(folder, 'repo2', twoHundred);
    const point = await proposeNewest(lost(cluster.withConfig(config)));
    expect(point).toMatchObject({ usableRepositories: [1], backup: { repository: 1 } });
    expect(point.summary).toMatch(/repository 2 \(east\) ends at 20\d\d-.* already/);
    await dropSegment(folder, 'repo1', twoHundred);
    const shorter = await proposeNewest(lost(cluster.withConfig(config)));
    expect(shorter).toMatchObject({ usableRepositories: [1, 2] });
    expect(shorter.time < twoHundred.time && shorter.walEnd < twoHundred.walEnd).toBe(true);
    expect(shorter.summary).toContain(`segment ${twoHundred.walEnd} is missing`);
  });

  test('does not begin with a backup that ended after the last commit', async () => {
    const sought = { systemIdentifier: '', timeline: 0 };
    const holding = await lookInto(cluster.target.postgres, cluster.backup, 1, sought);
    const [backup] = holding.backups;
    const stop = backup?.lsn?.stop ?? '';
    expect(stop).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    const later = { ...holding.backups[0], label: 'later', lsn: { start: stop, stop: 'F/0' } } as BackupInfo;
    const at = '2026-11-21T03:00:00.000000Z';
    const commitAt = (lsn: string) => async () => ({ last: at, end: { at, lsn } });
    const both = { ...holding, backups: [...holding.backups, later] };
    expect((await lastLeg(both, commitAt('E/0'))).path.backup.label).toBe(backup?.label);
    expect((await lastLeg(both, commitAt('F/0'))).path.backup.label).toBe('later');
    await expect(lastLeg(holding, commitAt('0/1'))).rejects.toMatchObject({ code: 'NoCommit' });
  });
});

describe('the segment of a moment', () => {
  const holds = (last: string) => ({ last, end: { at: last, lsn: '0/1' } });
  const commits: Readonly<Record<string, Commits>> = {
    b: holds('03'),
    d: holds('05'),
    e: holds('08'),
    g: holds('09'),
  };
  const find = (moment: string) =>
    segmentOfMoment(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'], moment, async (segment) => commits[segment]);

  test('is where the first commit at or after it is, also past segments without any', async () => {
    expect(await Promise.all(['00', '03', '04', '05', '06', '08', '09'].map(find))).toEqual([
      1, 1, 3, 3, 4, 4, 6,
    ]);
    expect(await find('10')).toBeUndefined();
  });
});
