/** What commands know of the lab that is up, from the one file that it writes for them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layoutOf } from '../../lab/layout.js';
import { type LabState, writeState } from '../../lab/state.js';
import { recordEnvironment } from '../../src/cli/record.js';
import { findTemporal } from '../../src/temporal/target.js';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-known-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const env = () => ({ MUSTER_LAB: dir, MUSTER_HOME: dir, TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' });

it('is nothing where none is up', async () => {
  await expect(findTemporal(env())).rejects.toMatchObject({ code: 'BadInput' });
  expect(await recordEnvironment(env())).toEqual(env());
});

it('is where its Temporal and its store are, and how payloads are encrypted there', async () => {
  const state: Partial<LabState> = {
    dir,
    home: join(dir, 'home'),
    runbooks: join(dir, 'runbooks'),
    temporal: {
      address: '127.0.0.1:7001',
      httpUrl: 'http://127.0.0.1:7002',
      uiUrl: 'http://127.0.0.1:7003',
      namespace: 'default',
    },
    payloads: { keys: `file:${dir}/key`, codecUrl: 'http://127.0.0.1:7004' },
    store: {
      address: '127.0.0.1',
      port: 7005,
      database: 'muster',
      login: { user: 'muster', password: `file:${dir}/password` },
      url: 'postgres://muster@127.0.0.1:7005/muster',
    },
  };
  await writeState(layoutOf(dir), state as LabState);
  expect(await findTemporal(env())).toMatchObject({
    namedBy: 'lab',
    address: '127.0.0.1:7001',
    uiUrl: 'http://127.0.0.1:7003',
    payloads: { MUSTER_PAYLOAD_KEYS: `file:${dir}/key` },
  });
  expect(await recordEnvironment({ MUSTER_LAB: dir })).toMatchObject({
    MUSTER_STORE_URL: 'postgres://muster@127.0.0.1:7005/muster',
    MUSTER_STORE_PASSWORD: `file:${dir}/password`,
  });
});
