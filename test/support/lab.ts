/** A lab for a test file: all real parts with a small ledger, on ports and addresses of its own. */
import { randomBytes } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { downLab } from '../../lab/down.js';
import { withClient } from '../../lab/parts/postgres.js';
import type { LabState, LoginState, SiteState } from '../../lab/state.js';
import { type UpOptions, upLab } from '../../lab/world.js';

/** So few that the whole lab is up in seconds, enough to be scattered over. */
export const SMALL = { transactions: 2_000, sizeBytes: 0 };

export interface TestLab {
  readonly dir: string;
  readonly state: LabState;
}

/** Where a lab may be made: a folder that does not exist yet. */
export function labFolder(): string {
  return join(tmpdir(), `muster-lab-${randomBytes(5).toString('hex')}`);
}

/** Brings a small lab up. The caller takes it down. */
export async function startLab(options: Partial<UpOptions> = {}): Promise<TestLab> {
  const dir = options.dir ?? labFolder();
  const state = await upLab({ worker: 'none', size: SMALL, log: () => undefined, ...options, dir });
  return { dir, state };
}

/** One lab for all tests of a file; it is gone when they have run. */
export function useLab(options: Partial<UpOptions> = {}): TestLab {
  let lab: TestLab | undefined;
  const up = (): TestLab => {
    if (!lab) throw new Error('the lab is not up yet: use it inside of a test');
    return lab;
  };
  const dir = options.dir ?? labFolder();
  beforeAll(async () => {
    lab = await startLab({ ...options, dir });
  }, 180_000);
  afterAll(async () => {
    if (!keepForMatrix(dir)) await downLab(dir, { log: () => undefined });
  }, 60_000);
  return {
    dir,
    get state() {
      return up().state;
    },
  };
}

/** With `npm run test:matrix -- --keep` the reporter decides, who knows what went wrong, whether the lab is left. */
function keepForMatrix(dir: string): boolean {
  const { MUSTER_MATRIX_KEEP: keep, MUSTER_TEST_RUN: run = '' } = process.env;
  if (keep !== '1') return false;
  const left = { testPath: expect.getState().testPath, dir };
  appendFileSync(join(run, 'labs.kept'), `${JSON.stringify(left)}\n`);
  return true;
}

/** Does `work` on a connection of the given login to the ledger at a site. */
export async function onLedger<T>(
  state: LabState,
  login: LoginState,
  work: (client: pg.Client) => Promise<T>,
  site: SiteState = state.ledger.sites.west,
): Promise<T> {
  const client = new pg.Client({
    host: site.address,
    port: site.port,
    database: state.ledger.database,
    user: login.user,
    password: await secretOf(login.password),
    connectionTimeoutMillis: 5_000,
  });
  return withClient(client, work);
}

/** What a `file:` reference of the lab stands for. */
export async function secretOf(reference: string): Promise<string> {
  return (await readFile(reference.replace('file:', ''), 'utf8')).trim();
}
