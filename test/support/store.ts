/** A store in a real PostgreSQL, migrated, with the login that workers use. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import type { JournalEntry } from '../../activities/contract.js';
import type { RunRef } from '../../src/store/chain.js';
import { migrateStore } from '../../src/store/migrate.js';
import type { StoreSettings } from '../../src/store/settings.js';
import { READING, Store } from '../../src/store/store.js';
import { startPostgres, type TestServer } from './postgres.js';

export interface TestStore {
  readonly server: TestServer;
  readonly settings: StoreSettings;
  /** As the role that records. */
  readonly store: Store;
  /** As the superuser, connected to the store's database. */
  readonly owner: pg.Client;
  /** A folder of this test alone. */
  folder(name: string): string;
  remove(): Promise<void>;
}

export async function startStore(): Promise<TestStore> {
  const server = await startPostgres();
  const first = await server.connect();
  await first.query('create role muster_recorder login');
  await first.query('create database muster');
  await first.end();
  const owner = await server.connect('muster');
  await migrateStore(owner, 'muster_recorder');
  process.env.MUSTER_TEST_STORE_PASSWORD = 'any';
  const settings: StoreSettings = {
    host: server.host,
    port: server.port,
    database: 'muster',
    user: 'muster_recorder',
    password: 'env:MUSTER_TEST_STORE_PASSWORD',
    tls: 'disable',
  };
  const store = new Store(settings, READING);
  return {
    server,
    settings,
    store,
    owner,
    folder: (name) => {
      const path = join(server.folder, name);
      rmSync(path, { recursive: true, force: true });
      return path;
    },
    remove: async () => {
      await store.close();
      await owner.end().catch(() => undefined);
      server.remove();
    },
  };
}

export function runRef(runId: string): RunRef {
  return { runId, system: 'payymo', scenario: 'corruption', mode: 'drill' };
}

/** Entries `from` to `to` of a run, both included. */
export function entries(from: number, to: number): JournalEntry[] {
  return Array.from({ length: to - from + 1 }, (_, position) => ({
    index: from + position,
    at: new Date(Date.UTC(2026, 10, 21, 3, 4, from + position)).toISOString(),
    kind: 'step-done',
    step: `step-${from + position}`,
    text: `step ${from + position} is done`,
    facts: [{ label: 'rows', value: '18,204' }],
  }));
}
