/**
 * The end of a primary that no log leads to: where dumps are all there is, what it had written last is in its quarantine alone. A
 * copy of that is started behind a socket; the quarantine itself is only read.
 */
import { appendFile, chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { PermanentError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import { withClient } from '../../src/postgres.js';
import { runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, ReplacedPrimary, StepRef } from '../contract.js';
import { removeHeldCopy, takePrivatePlace } from '../private/copy.js';
import { ACCESS, accessFileOf, privateSettings } from '../private/place.js';
import { readLease, requireHeld } from '../provision/lease.js';
import { adminOf, serviceOf } from '../service/index.js';
import type { Quarantined, SalvageFound } from './contract.js';
import { findPrimary, nothing } from './left-behind.js';

const COPY_MS = 24 * 3_600_000;

/** What is told of a quarantined cluster by `preserveDamaged`. */
const manifestSchema = z.object({
  schema: z.literal('muster.quarantine/1'),
  preservedAt: z.string(),
  from: z.string(),
  bytes: z.number(),
  control: z.object({ systemIdentifier: z.string(), timeline: z.number() }),
  links: z.array(z.object({ path: z.string(), leadsTo: z.string() })),
});
type Manifest = z.output<typeof manifestSchema>;

interface Kept {
  readonly manifest: Manifest;
  /** Its data directory. */
  readonly data: string;
}

/** The replaced primary as it was at its end. */
export interface QuarantinedEnd extends ReplacedPrimary {
  readonly live: DatabaseAt;
  readonly copy: DatabaseAt;
  readonly through: SalvageFound['through'];
}

/**
 * Finds the new primary and the dump that it came from, copies the quarantine of the old one beside it, starts the copy and has the
 * work done on it. It refuses writes, and is gone afterwards.
 *
 * @throws PermanentError `NoPrimary`, `NothingLeftBehind`, `QuarantineUnfit`, `NoRoom`
 */
export async function withQuarantinedCopy<T>(
  {
    at,
    sites,
    quarantined,
  }: {
    readonly at: StepRef;
    readonly sites: readonly DatabaseAt[];
    readonly quarantined: Quarantined;
  },
  update: (progress: Progress) => void,
  work: (end: QuarantinedEnd) => Promise<T>,
): Promise<T> {
  const { live } = await findPrimary(sites);
  const time = await pointOf(live);
  const kept = await newestKept(quarantined, time);
  const { bytes, control, preservedAt } = kept.manifest;
  const { place, lease } = await takePrivatePlace(at, live, 'salvage', bytes);
  try {
    const said = { done: 0, unit: 'rows', text: `copying ${formatBytes(bytes)} of the quarantine` } as const;
    update(said);
    await requireHeld(lease);
    await copyCluster(kept, place);
    await requireHeld(lease);
    await serviceOf(place.postgres).start('ready');
    const lsn = await letIn(place);
    const { systemIdentifier, timeline } = control;
    const through = { at: preservedAt, lsn };
    return await work({ live, copy: place, systemIdentifier, timeline, time, through });
  } finally {
    await removeHeldCopy(at, live, 'salvage', lease);
  }
}

/** What was written from there on is not in the new primary: its directory still says which dump it was loaded from. */
async function pointOf({ site, postgres }: DatabaseAt): Promise<string> {
  const lease = await readLease(postgres.service.dataDirectory);
  if (lease?.restored !== undefined) return lease.restored.time;
  throw nothing(`beside ${postgres.service.dataDirectory} at ${site} nothing says what it was loaded from`);
}

async function newestKept({ directory, damaged }: Quarantined, time: string): Promise<Kept> {
  const { dataDirectory } = damaged.postgres.service;
  const found: Kept[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    const manifest = await manifestIn(join(directory, name));
    if (manifest?.from !== dataDirectory || manifest.preservedAt <= time) continue;
    for (const data of [join(directory, name, 'data'), `${dataDirectory}.quarantine-${name}`]) {
      if (await isThere(join(data, 'PG_VERSION'))) found.push({ manifest, data });
    }
  }
  found.sort((one, other) => (one.manifest.preservedAt < other.manifest.preservedAt ? 1 : -1));
  const [newest] = found;
  if (newest === undefined) {
    throw nothing(`${directory} holds no cluster of ${damaged.site} that was set aside after ${time}`);
  }
  const [link] = newest.manifest.links;
  if (link === undefined) return newest;
  throw new PermanentError(
    'QuarantineUnfit',
    `Of the cluster in ${newest.data} a part lies elsewhere: ${link.path} leads to ${link.leadsTo}.`,
    {
      why: 'A copy would share that part with the quarantine, which must stay as it is.',
      next: 'Copy it by hand with what the link leads to, and carry the rows over from there.',
    },
  );
}

async function manifestIn(folder: string): Promise<Manifest | undefined> {
  const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : manifestSchema.safeParse(JSON.parse(text)).data;
}

async function copyCluster({ data }: Kept, place: DatabaseAt): Promise<void> {
  const { dataDirectory, account } = place.postgres.service;
  for (const entry of await readdir(dataDirectory)) {
    await rm(join(dataDirectory, entry), { recursive: true, force: true, maxRetries: 3 });
  }
  const copied = await runTool('cp', ['-a', '--reflink=auto', `${data}/.`, dataDirectory], {
    account,
    timeoutMs: COPY_MS,
    signal: activitySignal(),
  });
  if (copied.exitCode !== 0) {
    throw new PermanentError(
      'QuarantineUnfit',
      `${data} cannot be copied to ${dataDirectory}: ${copied.stderr.trim().split('\n').at(-1)}`,
      { next: 'See to room and rights there, then retry the step. The quarantine is as it was.' },
    );
  }
  await chmod(dataDirectory, 0o700);
  for (const name of ['standby.signal', 'recovery.signal', 'postmaster.pid']) {
    await rm(join(dataDirectory, name), { force: true });
  }
  await writeFile(accessFileOf(dataDirectory), ACCESS, { mode: 0o644 });
  const settings = {
    ...privateSettings(place),
    port: String(place.postgres.port),
    logging_collector: 'off',
    log_destination: 'stderr',
    autovacuum: 'off',
    default_transaction_read_only: 'on',
    synchronous_standby_names: '',
    restore_command: '',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  await appendFile(
    join(dataDirectory, 'postgresql.auto.conf'),
    `\n# Muster: settings of this copy\n${lines.join('\n')}\n`,
  );
}

/** The fence has closed the database to everybody. @returns where the copy ends */
function letIn({ postgres }: DatabaseAt): Promise<string> {
  return withClient(
    { ...adminOf(postgres), database: 'postgres' },
    { statementTimeoutMs: 60_000, applicationName: 'muster-salvage', signal: activitySignal() },
    async (client) => {
      const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn');
      await client.query('set default_transaction_read_only = off');
      await client.query(
        `alter database ${client.escapeIdentifier(postgres.database)} allow_connections true`,
      );
      return rows[0]?.lsn ?? '0/0';
    },
  );
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
