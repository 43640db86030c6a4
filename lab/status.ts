import { Resolver } from 'node:dns/promises';
import { activeSite, runningServer } from './clusters.js';
import { layoutOf, SITES, type SiteName } from './layout.js';
import { isRunning } from './process.js';
import { type LabState, PART_NAMES, type PartName, type PartState, readState } from './state.js';

/** One process of the lab as it is now. */
export interface PartStatus {
  readonly name: PartName;
  readonly state: 'running' | 'stopped';
  readonly part: PartState;
}

/** One place of the ledger's database as it is now. */
export interface SiteStatus {
  readonly name: SiteName;
  readonly address: string;
  /** The server on its data directory, whoever started it; null: none. */
  readonly serverPid: number | null;
  /** Whether the cluster here is the one that takes writes, as far as its files tell. */
  readonly active: boolean;
  /** Whether applications are led here. */
  readonly inDns: boolean;
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

/** A lab as it is now. */
export interface LabStatus {
  readonly state: LabState;
  readonly parts: readonly PartStatus[];
  readonly sites: readonly SiteStatus[];
  readonly service: ServiceStatus;
}

/** Looks at every part of the lab; undefined when there is no lab in `dir`. Changes nothing. */
export async function statusLab(dir: string): Promise<LabStatus | undefined> {
  const layout = layoutOf(dir);
  const state = await readState(layout);
  if (!state) return undefined;
  const [active, leadsTo, health, stats] = await Promise.all([
    activeSite(layout),
    answerOf(state),
    bodyOf<ServiceStatus['health']>(`${state.payymo.appUrl}/health`),
    bodyOf<{ acknowledged: number }>(`${state.payymo.clientUrl}/stats`),
  ]);
  const sites = SITES.map(async (name): Promise<SiteStatus> => {
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
    parts: PART_NAMES.flatMap((name) => {
      const part = state.parts[name];
      return part
        ? [{ name, part, state: isRunning(part) ? ('running' as const) : ('stopped' as const) }]
        : [];
    }),
    sites: await Promise.all(sites),
    service: { health, acknowledged: stats?.acknowledged ?? null },
  };
}

async function answerOf({ dns }: LabState): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([dns.resolver]);
  const answers = await resolver.resolve4(dns.record).catch(() => []);
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
