/** How commands reach what Muster has recorded: its store, and the reports on this machine. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import { REPORT_FORMAT, type ReportDocument } from '../evidence/document.js';
import { musterHome, reportDirectory } from '../home.js';
import { localLab } from '../lab-environment.js';
import { REPORT_FILES } from '../store/reports.js';
import { storeSettings } from '../store/settings.js';
import { READING, Store } from '../store/store.js';
import type { CliContext } from './context.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** What names store and home: the environment, else the lab that is up. */
export async function recordEnvironment(env: Environment): Promise<Environment> {
  if (env.MUSTER_STORE_URL) return env;
  const lab = await localLab(env);
  return lab === undefined ? env : { ...lab.environment, ...withoutEmpty(env) };
}

/**
 * Connects to the store, does the work, and closes the connection however the work ends.
 * @throws InputError when no store is configured and no lab is up
 */
export async function withStore<T>(context: CliContext, work: (store: Store) => Promise<T>): Promise<T> {
  const settings = storeSettings(await recordEnvironment(context.world.env));
  if (settings === undefined) {
    throw new InputError("It is not said where Muster's store is, and no lab is up.", [
      {
        field: 'MUSTER_STORE_URL',
        given: 'nothing',
        allowed: 'postgres://user@host:port/database, and MUSTER_STORE_PASSWORD=env:NAME or file:/path',
      },
    ]);
  }
  const store = new Store(settings, READING);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** The folder of a run's report on this machine; undefined where there is none. */
export async function reportFolder(context: CliContext, runId: string): Promise<string | undefined> {
  const home = musterHome(await recordEnvironment(context.world.env));
  const folder = reportDirectory(runId, home);
  return (await reportIn(folder)) === undefined ? undefined : folder;
}

/** The newest report on this machine of a run, of a system, or of all (`latest`). */
export async function reportOnDisk(
  context: CliContext,
  name: string,
): Promise<{ readonly folder: string; readonly report: ReportDocument } | undefined> {
  const all = join(musterHome(await recordEnvironment(context.world.env)), 'reports');
  const folders = await readdir(all).catch(() => []);
  const found = await Promise.all(
    folders.map(async (each) => ({ folder: join(all, each), report: await reportIn(join(all, each)) })),
  );
  return found
    .flatMap(({ folder, report }) => (report === undefined ? [] : [{ folder, report }]))
    .filter(({ report }) => name === 'latest' || report.id === name || report.system === name)
    .sort((one, other) => (one.report.writtenAt < other.report.writtenAt ? 1 : -1))[0];
}

/** undefined for anything that is not the JSON of a report. */
export function parseReport(json: Buffer): ReportDocument | undefined {
  try {
    const value = JSON.parse(json.toString('utf8')) as ReportDocument | null;
    return value?.format === REPORT_FORMAT ? value : undefined;
  } catch {
    return undefined;
  }
}

async function reportIn(folder: string): Promise<ReportDocument | undefined> {
  const json = await readFile(join(folder, REPORT_FILES.json)).catch(() => undefined);
  return json === undefined ? undefined : parseReport(json);
}

function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
}
