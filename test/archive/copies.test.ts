/** Archives among the copies that are tried when the usual ones are bad: each where it is, and as its bucket kept it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { backupActivities } from '../../activities/backup/index.js';
import type { CopiesSurvey, DatabaseAt } from '../../activities/contract.js';
import { copiesActivities } from '../../activities/copies/index.js';
import { provisionActivities } from '../../activities/provision/index.js';
import { openPlace } from '../../src/archive/place.js';
import type { Application } from '../../src/runbook/schema.js';
import { s3Client } from '../../src/s3.js';
import { stepOf } from '../drivers/support/steps.js';
import { type ArchiveWorld, makeArchiveWorld, makeTarget, type Target } from './support.js';

const OLD = '20261120T030000Z-full';
const NEW = '20261121T030000Z-full';
const { surveyCopies, tryCopies } = copiesActivities();
const { takeArchive } = backupActivities();
const { provisionForArchive } = provisionActivities({ promotionOf: async () => undefined });
let world: ArchiveWorld;
let target: Target;
let survey: CopiesSurvey;

beforeAll(async () => {
  world = await makeArchiveWorld();
  target = await makeTarget(world.source);
  const { bucket } = world.vault;
  const store = await s3Client(bucket, 10_000);
  await store.send(
    new PutBucketVersioningCommand({ Bucket: bucket.bucket, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  store.destroy();
  for (const label of [OLD, NEW]) {
    await takeArchive({ at: stepOf('dump'), source: world.source.at, backup: world.backup, label });
  }
  const [copy] = world.backup.copies;
  if (copy === undefined) throw new TypeError('one copy is a bucket');
  const place = await openPlace(copy, new AbortController().signal);
  for (const { name, bytes } of await place.list(`payymo/${NEW}/`)) {
    await place.write(name, Readable.from([Buffer.alloc(bytes, 0x2a)]));
  }
  place.close();
  await world.source.admin((client) => client.query("insert into books.account values (51, 'only here')"));
}, 60_000);
afterAll(async () => {
  await target?.cluster.remove();
  await world?.remove();
});

const there = (): DatabaseAt => target.cluster.at;
const places = () => ({
  ...{ damaged: world.source.at, standby: null, target: there(), backup: world.backup, dataClasses: {} },
  archives: { daily: world.backup },
});

it('each is found where it is, and as it was before it was overwritten', async () => {
  survey = await surveyCopies({ at: target.at, ...places() });
  expect(survey.copies.map(({ id, unusable }) => [id, unusable === null])).toEqual([
    ['damaged', true],
    [`daily/1-earlier/${NEW}`, true],
    [`daily/2/${NEW}`, true],
    [`daily/1/${OLD}`, true],
    [`daily/2/${OLD}`, true],
    [`daily/1/${NEW}`, false],
  ]);
  expect(survey.copies.at(-1)?.unusable).toContain('manifest.json');
  expect(survey.databaseBytes).toBeGreaterThan(1_000_000);
}, 30_000);

it('what the bucket kept is read, loaded, closed and verified', async () => {
  const { databaseBytes } = survey;
  const provisioned = await provisionForArchive({ at: target.at, target: there(), databaseBytes });
  const first = `daily/1-earlier/${NEW}`;
  const found = await tryCopies({
    ...{ at: target.at, survey, first, provisioned, ...places(), invariants: [], jobs: 1 },
    application: await application(),
  });
  expect(found).toMatchObject({ id: first, kind: 'archive', cluster: { timeline: 1 } });
  expect([...new Set(found.checks.map(({ rung }) => rung))].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(found.cluster?.systemIdentifier).not.toBe(found.systemIdentifier);
  expect(found.tried.find(({ id }) => id === 'damaged')).toMatchObject({ outcome: 'not tried' });
}, 60_000);

async function application(): Promise<Application> {
  const file = join(world.folder, 'copies-trial.cjs');
  await writeFile(
    file,
    `require('node:http').createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{}');
    }).listen(Number(process.env.MUSTER_PORT), '127.0.0.1');`,
  );
  const ask = { title: 'ask', method: 'GET' as const, path: '/', expectStatus: 200 };
  return {
    ...{ component: 'core-api', url: 'http://127.0.0.1:1', healthPath: '/health' },
    trial: { command: [process.execPath, file], environment: {} },
    functions: [{ name: 'read', title: 'It can be read', readOnly: true, exchanges: [ask] }],
  };
}
