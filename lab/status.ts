import { Resolver } from 'node:dns/promises';
import { activeSite, runningServer } from './clusters.js';
import { layoutOf, SITES, type SiteName } from './layout.js';
import { isRunning } from './process.js';
import { type LabState, PART_NAMES, type PartName, type PartState, readState } from './state.js';
import type { WorldName } from './worlds/index.js';
import type { WorldInLab } from './worlds/parts.js';
import { worldsOf } from './worlds/start.js';

/** One process of the lab as it is now. */
export interface PartStatus {
  readonly name: PartName;
  readonly state: 'running' | 'stopped';
  readonly part: PartState;
}

/** One place of a database as it is now. */
export interface PlaceStatus {
  readonly name: string;
  readonly address: string;
  /** The server on its data directory, whoever started it; null: none. */
  readonly serverPid: number | null;
  /** Whether applications are led here. */
  readonly inDns: boolean;
}

/** One place of the ledger's database as it is now. */
export interface SiteStatus extends PlaceStatus {
  readonly name: SiteName;
  /** Whether the cluster here is the one that takes writes, as far as its files tell. */
  readonly active: boolean;
}

/** What the application and its client say of themselves; null: no answer. */
export interface ServiceStatus {
  readonly health: {
    readonly status: string;
    readonly reason?: string;
    readonly lastSequence?: number;
  } | null;
  readonly acknowledged: number | null;
}

/** A system beside Payymo as it is now. */
export interface WorldStatus {
  readonly system: WorldName;
  readonly record: string;
  readonly sites: readonly PlaceStatus[];
  readonly service: ServiceStatus;
}

/** A lab as it is now. */
export interface LabStatus {
  readonly state: LabState;
  readonly parts: readonly PartStatus[];
  readonly sites: readonly SiteStatus[];
  readonly service: ServiceStatus;
  readonly worlds: readonly WorldStatus[];
}

/** Looks at every part of the lab; undefined when there is no lab in `dir`. Changes nothing. */
export async function statusLab(dir: string): Promise<LabStatus | undefined> {
  const layout = layoutOf(dir);
  const state = await readState(layout);
  if (!state) return undefined;
  const [active, leadsTo, service] = await Promise.all([
    activeSite(layout),
    answerOf(state, state.dns.record),
    serviceOf(state.payymo),
  ]);
  const places = state.systems.includes('payymo') ? SITES : [];
  const sites = places.map(async (name): Promise<SiteStatus> => {
    const { address, port, dataDir } = state.ledger.sites[name];
    return {
      name,
      address: `${address}:${port}`,
      serverPid: (await runningServer(dataDir))?.pid ?? null,
      active: active === name,
      inDns: leadsTo === address,
    };
  });
  return {
    state,
    parts: partNames(state).flatMap((name) => {
      const part = state.parts[name];
      return part
        ? [{ name, part, state: isRunning(part) ? ('running' as const) : ('stopped' as const) }]
        : [];
    }),
    sites: await Promise.all(sites),
    service,
    worlds: await Promise.all(worldsOf({ layout, state }).map((own) => worldStatus(state, own))),
  };
}

async function worldStatus(lab: LabState, { name, state }: WorldInLab): Promise<WorldStatus> {
  const [leadsTo, service, sites] = await Promise.all([
    answerOf(lab, state.dns.record),
    serviceOf(state),
    Promise.all(
      Object.entries(state.sites).map(async ([site, { dataDir }]) => ({
        site,
        pid: (await runningServer(dataDir))?.pid ?? null,
      })),
    ),
  ]);
  return {
    system: name,
    record: state.dns.record,
    sites: sites.map(({ site, pid }) => {
      const { address, port } = state.sites[site] ?? { address: '', port: 0 };
      return { name: site, address: `${address}:${port}`, serverPid: pid, inDns: leadsTo === address };
    }),
    service,
  };
}

/** Payymo's and the shared ones in their order, then those of the other systems. */
function partNames({ parts }: LabState): PartName[] {
  const others = (Object.keys(parts) as PartName[]).filter(
    (name) => !PART_NAMES.some((each) => each === name),
  );
  return [...PART_NAMES, ...others.sort()];
}

async function serviceOf(urls: {
  readonly appUrl: string;
  readonly clientUrl: string;
}): Promise<ServiceStatus> {
  const [health, stats] = await Promise.all([
    bodyOf<ServiceStatus['health']>(`${urls.appUrl}/health`),
    bodyOf<{ acknowledged: number }>(`${urls.clientUrl}/stats`),
  ]);
  return { health, acknowledged: stats?.acknowledged ?? null };
}

async function answerOf({ dns }: LabState, record: string): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([dns.resolver]);
  const answers = await resolver.resolve4(record).catch(() => []);
  return answers[0];
}

async function bodyOf<T>(url: string): Promise<T | null> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return (await answer.json()) as T;
  } catch {
    return null;
  }
}
