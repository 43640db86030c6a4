/** Passwords exchanged on a sealed server, the old ones proven dead, and the way in opened only then. */
import { appendFile, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseAt } from '../../activities/contract.js';
import { credentialsActivities } from '../../activities/credentials/index.js';
import { scramVerifier } from '../../activities/credentials/scram.js';
import { writeTargetSettings } from '../../activities/restore/settings.js';
import { APP_PASSWORD, makeCluster, type TestCluster } from './support/postgres.js';
import { stepOf } from './support/steps.js';

const { rotateCredentials, proveOldDead, openPrimary } = credentialsActivities();
const at = stepOf('run-1');
const LONG_AGO = '2020-01-01T00:00:00.000Z';
let primary: TestCluster;
let sealed: DatabaseAt;
let renewed: DatabaseAt;

beforeAll(async () => {
  primary = await makeCluster();
  await primary.admin((client) =>
    client.query(
      `create role stranger login superuser password 'known to mallory'; create role reader login password 'old'`,
    ),
  );
  const { postgres } = primary.at;
  sealed = { site: 'west', postgres: { ...postgres, host: postgres.service.socketDirectory } };
  const as = (name: string) => `file:${join(primary.folder, name)}`;
  renewed = {
    site: 'west',
    postgres: {
      ...postgres,
      admin: { user: 'muster', password: as('new-admin') },
      application: { user: 'app', password: as('new-app') },
    },
  };
});
afterAll(() => primary?.remove());

const renewals = () => [
  {
    user: 'muster',
    oldPassword: primary.at.postgres.admin.password,
    newPassword: renewed.postgres.admin.password,
  },
  {
    user: 'app',
    oldPassword: primary.at.postgres.application.password,
    newPassword: renewed.postgres.application.password,
  },
];

/** As a restore leaves it, out of recovery. */
async function seal(): Promise<void> {
  await primary.stop('fast');
  await writeTargetSettings(sealed, {
    restoreCommand: 'false',
    archiveCommand: 'true',
    archiveMode: 'on',
    until: { time: '2030-01-01T00:00:00.000000Z' },
    timeline: 1,
  });
  await primary.start();
}

const rotate = (notBefore = LONG_AGO) =>
  rotateCredentials({
    at,
    sealed,
    promotion: { promotedAt: notBefore },
    renewals: renewals(),
    roles: ['muster', 'app', 'reader'],
    rotations: [],
  });

const prove = () =>
  proveOldDead({
    at,
    sealed,
    damaged: { ...primary.at, site: 'old' },
    renewals: renewals(),
    absent: [],
    rotations: [],
  });

test('what PostgreSQL keeps of a password is made as PostgreSQL makes it', async () => {
  await primary.admin((client) =>
    client.query(`create role probe login password '${scramVerifier('tried')}'`),
  );
  await (await primary.open('probe', 'tried')).end();
  await expect(primary.open('probe', 'else')).rejects.toMatchObject({ code: '28P01' });
  await primary.admin((client) => client.query('drop role probe'));
});

test('nothing is exchanged while anybody could come in', async () => {
  await expect(
    rotateCredentials({
      at,
      sealed: primary.at,
      promotion: { promotedAt: LONG_AGO },
      renewals: renewals(),
      roles: [],
      rotations: [],
    }),
  ).rejects.toMatchObject({ code: 'NotSealed' });
});

test('a sealed server is reached by its own account alone, and by passwords that are right', async () => {
  await seal();
  await expect(primary.open('app', APP_PASSWORD)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const socket = await stat(join(primary.folder, `.s.PGSQL.${primary.at.postgres.port}`));
  expect(socket.mode & 0o777).toBe(0o700);
  await expect(prove()).rejects.toMatchObject({ code: 'OldCredentialAlive' });
});

test('a password that lay around before is not a new one', async () => {
  const path = renewed.postgres.admin.password.slice('file:'.length);
  await writeFile(path, 'from before\n');
  await utimes(path, new Date('2021-01-01'), new Date('2021-01-01'));
  await expect(rotate('2022-01-01T00:00:00.000Z')).rejects.toMatchObject({ code: 'NewSecretNotFresh' });
  await appendFile(path, '');
  await utimes(path, new Date(), new Date());
});

test('every password is exchanged, those of nobody go, strangers are shut out; done again it is the same', async () => {
  const first = await rotate();
  expect(first).toMatchObject({ absent: [], withoutPassword: ['reader', 'stranger'], shutOut: ['stranger'] });
  const secret = (await readFile(renewed.postgres.application.password.slice('file:'.length), 'utf8')).trim();
  expect(JSON.stringify(first)).not.toContain(secret);
  const log = await readFile(primary.at.postgres.service.logFile, 'utf8');
  expect(log).not.toContain('SCRAM-SHA-256$');
  await rotate();
  expect((await readFile(renewed.postgres.application.password.slice('file:'.length), 'utf8')).trim()).toBe(
    secret,
  );
  const { refused } = await prove();
  expect(refused.map(({ what, answer }) => `${what}: ${answer.split(' ')[0]}`)).toEqual([
    'muster at west: 28P01',
    'app at west: 28P01',
    'muster at old: ECONNREFUSED',
    'app at old: ECONNREFUSED',
  ]);
});

test('opened, it listens with the rules that it was restored with, and refuses what is old; done again it is the same', async () => {
  const open = () => openPrimary({ at, sealed, target: renewed, renewals: renewals() });
  await open();
  await open();
  await expect(primary.open('app', APP_PASSWORD)).rejects.toMatchObject({ code: '28P01' });
  await expect(primary.open('reader', 'old')).rejects.toMatchObject({ code: '28P01' });
  await expect(primary.open('stranger', 'known to mallory')).rejects.toMatchObject({ code: '28P01' });
  const secret = (await readFile(renewed.postgres.application.password.slice('file:'.length), 'utf8')).trim();
  await (await primary.open('app', secret)).end();
});

test('it is not handed over while the network is let in without a proof', async () => {
  await appendFile(
    join(primary.at.postgres.service.dataDirectory, 'pg_hba.conf'),
    '\nhost all app 127.0.0.9/32 trust\n',
  );
  await expect(openPrimary({ at, sealed, target: renewed, renewals: renewals() })).rejects.toMatchObject({
    code: 'AccessOpen',
    message: expect.stringContaining('trust'),
  });
});
