import { rm } from 'node:fs/promises';
import { databaseAccount } from './account.js';
import { activeSite, runningServer, serversOf } from './clusters.js';
import { LabError } from './errors.js';
import { exists } from './folders.js';
import { type Layout, layoutOf } from './layout.js';
import { whileLocked } from './lock.js';
import {
  dnsSetup,
  ledgerPart,
  orchestratorPart,
  type PartContext,
  regionPart,
  storePart,
} from './parts/all.js';
import { dnsPart, ensureZone, route53Part } from './parts/dns.js';
import { findPrograms } from './parts/lookup.js';
import { ensurePart, type PartKeeper, type PartSpec } from './parts/part.js';
import { appPart, clientPart } from './parts/payymo.js';
import { workerPart } from './parts/worker.js';
import type { SeedSize } from './payymo/generate.js';
import { prepareLab } from './prepare.js';
import { isRunning, stopProcess } from './process.js';
import { readSecrets } from './secrets.js';
import { type LabState, type PartName, type PartState, readState, writeState } from './state.js';

/** How large the ledger of an ordinary lab is. */
export const DEFAULT_SIZE: SeedSize = { transactions: 300_000, sizeBytes: 0 };
export const DEFAULT_PAYMENTS_PER_SECOND = 10;

export interface UpOptions {
  /** The lab's folder, absolute. */
  readonly dir: string;
  readonly size?: Partial<SeedSize>;
  readonly paymentsPerSecond?: number;
  /** Receives progress, one line at a time. */
  readonly log: (line: string) => void;
}

/**
 * Brings the lab up: makes it where there is none, keeps every part that runs and answers, starts the others again.
 * What this call has started is stopped again when it fails.
 *
 * @throws LabError naming the part that failed, with the last lines of its log.
 */
export async function upLab(options: UpOptions): Promise<LabState> {
  const layout = layoutOf(options.dir);
  return whileLocked(layout, async () => {
    const programs = findPrograms();
    const account = databaseAccount();
    const size = { ...DEFAULT_SIZE, ...options.size };
    const found = await readState(layout);
    const state =
      found ??
      (await prepareLab(layout, {
        size,
        paymentsPerSecond: options.paymentsPerSecond ?? DEFAULT_PAYMENTS_PER_SECOND,
        programs,
        account,
        log: options.log,
      }));
    if (found && (found.seed.transactions !== size.transactions || found.seed.sizeBytes !== size.sizeBytes)) {
      options.log(`the lab that stands keeps its ledger of ${found.seed.transactions} transactions`);
    }
    const world = new World(layout, state, options.log);
    try {
      await startAll(world, { layout, state, secrets: await readSecrets(layout.secrets), programs, account });
    } catch (error) {
      await world.stopStarted();
      throw error;
    }
    return world.state;
  });
}

async function startAll(world: World, context: PartContext): Promise<void> {
  const ensure = (spec: PartSpec) => ensurePart(spec, world);
  const { layout } = context;
  const active = await activeSite(layout);
  const database = async () => {
    const adopted = !world.known(`postgres-${active}`) && (await runningServer(layout.sites[active].data));
    if (!adopted) await ensure(ledgerPart(context, active));
  };
  const names = async () => {
    const setup = dnsSetup(context);
    await ensure(await route53Part(setup));
    const { zoneId } = await ensureZone(setup, context.state.ledger.sites[active].address);
    if (zoneId !== world.state.dns.zoneId) await world.update({ dns: { ...world.state.dns, zoneId } });
    await ensure(await dnsPart(setup, zoneId));
  };
  const worker = workerPart(context);
  const primary = database();
  const resolving = names();
  const muster = [orchestratorPart(context).then(ensure), ensure(storePart(context))];
  await together([
    ...muster,
    regionPart(context, 'west').then(ensure),
    regionPart(context, 'east').then(ensure),
    primary,
    resolving,
    Promise.all([primary, resolving]).then(async () => {
      await ensure(appPart(context));
      await ensure(clientPart(context));
    }),
    Promise.all(muster).then(async () => worker && ensure(worker)),
  ]);
}

/** Waits for all of them, also when one fails, so that nothing is still being started when what was started is stopped. */
async function together(tasks: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).filter(({ status }) => status === 'rejected');
  if (failed.length > 0) throw (failed[0] as PromiseRejectedResult).reason;
}

/** The state of a lab while it is being started; written after every change. */
class World implements PartKeeper {
  readonly #started = new Set<PartName>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    readonly layout: Layout,
    public state: LabState,
    readonly log: (line: string) => void,
  ) {}

  known(name: PartName): PartState | undefined {
    return this.state.parts[name];
  }

  async started(name: PartName, part: PartState): Promise<void> {
    this.#started.add(name);
    await this.update({ parts: { ...this.state.parts, [name]: part } });
  }

  async update(change: Partial<LabState>): Promise<void> {
    this.state = { ...this.state, ...change };
    this.#writing = this.#writing.then(() => writeState(this.layout, this.state));
    await this.#writing;
  }

  async stopStarted(): Promise<void> {
    const parts = { ...this.state.parts };
    await Promise.all(
      [...this.#started].map(async (name) => {
        const part = parts[name];
        if (part) await stopProcess(part, part.stopSignal);
        delete parts[name];
      }),
    );
    await this.update({ parts });
  }
}

/** A lab as it is now. */
export interface LabStatus {
  readonly state: LabState;
  readonly running: Readonly<Partial<Record<PartName, boolean>>>;
}

/** What of the lab runs; undefined when there is no lab. */
export async function statusLab(dir: string): Promise<LabStatus | undefined> {
  const state = await readState(layoutOf(dir));
  if (!state) return undefined;
  const running = Object.entries(state.parts).map(([name, part]) => [name, isRunning(part)] as const);
  return { state, running: Object.fromEntries(running) };
}

/**
 * Ends every process of the lab and removes its folder. A process is only ended when it is the very one that was started,
 * or a PostgreSQL server on a data directory of the lab.
 *
 * @returns whether there was a lab
 */
export async function downLab(dir: string, options: { log: (line: string) => void }): Promise<boolean> {
  const layout = layoutOf(dir);
  return whileLocked(layout, async () => {
    if (!(await exists(layout.mark))) {
      if (!(await exists(layout.dir))) return false;
      throw new LabError(
        `${layout.dir} is not a lab.`,
        'Nothing has been touched: name the lab with MUSTER_LAB.',
      );
    }
    const state = await readState(layout);
    const parts = Object.values(state?.parts ?? {});
    await Promise.all([
      ...parts.map((part) => stopProcess(part, part.stopSignal)),
      ...(await serversOf(layout)).map((server) => stopProcess(server, 'SIGQUIT')),
    ]);
    options.log(`stopped ${parts.length} parts`);
    await rm(layout.dir, { recursive: true, force: true, maxRetries: 5 });
    if (layout.shortSockets) await rm(layout.shortSockets, { recursive: true, force: true });
    return true;
  });
}
