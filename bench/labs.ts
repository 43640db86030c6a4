/** Labs that are there for one measurement, and those that are broken and wait to be recovered: each from the same seed, with the same disaster, settled before the clock runs. */
import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { breakCorruption, type Corruption } from '../lab/break/corruption.js';
import { waitForPayments } from '../lab/demo/payments.js';
import { downLab } from '../lab/down.js';
import { defaultLabDir } from '../lab/layout.js';
import type { LabState } from '../lab/state.js';
import { type UpOptions, upLab } from '../lab/world.js';
import { withClient } from '../src/postgres.js';
import { type } from './by-hand/shell.js';
import { sayWhenBusy } from './machine.js';

/** Payments before and after the change, so that there are some to keep and some to lose. */
const PAYMENTS = 30;
/** The seed falls short of the size that it is asked for by up to a fiftieth. */
export const FILLED = 1.03;

export interface Broken<Prepared = void> {
  readonly state: LabState;
  readonly damage: Corruption;
  readonly prepared: Prepared;
}

export interface LabWanted<Prepared> {
  /** Bytes that the ledger has at least. */
  readonly sizeBytes: number;
  /** Muster's worker, for what it recovers. */
  readonly worker: 'when-built' | 'none';
  readonly say: (line: string) => void;
  /** Done while all is well. */
  readonly prepare: (state: LabState) => Promise<Prepared>;
}

/** Makes a lab, hands it to `work`, and takes it down whatever happens, an interrupt included. */
export async function withLab<Result>(
  options: Omit<UpOptions, 'dir'>,
  work: (state: LabState) => Promise<Result>,
): Promise<Result> {
  const dir = join(dirname(defaultLabDir()), `bench-${randomBytes(3).toString('hex')}`);
  let gone: Promise<unknown> | undefined;
  // Interrupted, the work fails as well: both wait for the same end.
  const down = () => {
    gone ??= downLab(dir, { log: () => undefined });
    return gone;
  };
  const interrupted = () => void down().finally(() => process.exit(130));
  try {
    const state = await upLab({ ...options, dir });
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    return await work(state);
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
    await down();
  }
}

/** The same with a ledger of that size in which a bad change has been deployed. */
export async function withBrokenLab<Prepared, Result>(
  { sizeBytes, worker, say, prepare }: LabWanted<Prepared>,
  work: (lab: Broken<Prepared>) => Promise<Result>,
): Promise<Result> {
  return withLab({ worker, size: { sizeBytes: sizeBytes * FILLED }, log: say }, async (state) => {
    await requireSize(state, sizeBytes);
    const prepared = await prepare(state);
    await waitForPayments(state, PAYMENTS);
    const damage = await breakCorruption(state);
    await waitForPayments(state, PAYMENTS);
    await settle();
    await sayWhenBusy(say);
    return work({ state, damage, prepared });
  });
}

/** What was written before must not be written to the disk while the clock runs. */
export async function settle(): Promise<void> {
  await type('sync', []);
}

export async function requireSize({ ledger }: LabState, sizeBytes: number): Promise<void> {
  const { sites, database, admin } = ledger;
  const login = { host: sites.west.address, port: sites.west.port, database, ...admin };
  const bytes = await withClient(
    login,
    { statementTimeoutMs: 30_000, applicationName: 'muster bench' },
    async (client) => {
      const { rows } = await client.query<{ bytes: string }>('select pg_database_size($1) as bytes', [
        database,
      ]);
      return Number(rows[0]?.bytes);
    },
  );
  if (bytes < sizeBytes) throw new Error(`the ledger has ${bytes} bytes, ${sizeBytes} are wanted`);
}
