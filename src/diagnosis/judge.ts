/** From what was seen to what may have happened. Pure: it proposes, the commander decides. */
import { formatCount, formatDuration } from '../model/format.js';
import type { Symptoms } from './symptoms.js';

/** Every kind of disaster that there is a name for, whether this version can recover from it or not. */
export const DISASTERS = [
  'objectLoss',
  'badDeployment',
  'azLoss',
  'infrastructureFailure',
  'corruption',
  'providerOutage',
  'regionalLoss',
  'breach',
  'backupLoss',
  'failback',
] as const;
export type DisasterName = (typeof DISASTERS)[number];

export interface Suspicion {
  readonly scenario: DisasterName;
  /** `likely`: what was seen fits it, and nothing that loses less; `possible`: it cannot be excluded. */
  readonly certainty: 'likely' | 'possible';
  readonly because: string;
  /** What going this way loses, as far as it is known. */
  readonly loses: string;
  /** What somebody has to say before it can be begun: nothing that was seen tells it. */
  readonly needs?: 'before';
}

export interface Judgement {
  /** Likely ones first, then by how little is lost. */
  readonly suspicions: readonly Suspicion[];
  /** What nobody can know from what was seen. */
  readonly cannotTell: readonly string[];
}

type Rule = (seen: Seen) => Omit<Suspicion, 'scenario'> | undefined;

/** What several rules ask. */
interface Seen extends Symptoms {
  readonly nowMs: number;
  readonly lost: boolean;
  readonly damaged: boolean;
  readonly usable: Symptoms['copies'];
  /** Standbys that answer, follow and could take over. */
  readonly ready: Symptoms['standbys'];
  /** Everything else that is in the primary's region, or at its provider: undefined where nothing else is there. */
  readonly region: Around | undefined;
  readonly provider: Around | undefined;
}

interface Around {
  readonly name: string;
  readonly silent: boolean;
  readonly count: number;
}

const RULES: Readonly<Record<DisasterName, Rule>> = {
  objectLoss,
  badDeployment,
  azLoss,
  infrastructureFailure,
  corruption,
  providerOutage,
  regionalLoss,
  breach,
  backupLoss,
  failback,
};

/** @param nowMs when it was looked, Unix milliseconds */
export function judge(symptoms: Symptoms, nowMs: number): Judgement {
  if (symptoms.underWay !== undefined) {
    const { runId, at } = symptoms.underWay;
    const what = `Run ${runId} has fenced the system at ${at} and has neither promoted a copy nor been called off: what is seen may be its work. Watch it, or adopt it where its server is lost; begin nothing beside it`;
    return { suspicions: [], cannotTell: [what] };
  }
  const seen = withQuestions(symptoms, nowMs);
  const suspicions = DISASTERS.flatMap((scenario): Suspicion[] => {
    const found = RULES[scenario](seen);
    return found === undefined ? [] : [{ scenario, ...found }];
  });
  const rank = ({ certainty }: Suspicion) => (certainty === 'likely' ? 0 : 1);
  return {
    suspicions: suspicions.sort((one, other) => rank(one) - rank(other)),
    cannotTell: cannotTell(seen),
  };
}

function withQuestions(symptoms: Symptoms, nowMs: number): Seen {
  const { primary, standbys, copies } = symptoms;
  const [provider = ''] = primary.failureDomain.split('/');
  return {
    ...symptoms,
    nowMs,
    lost: primary.state === 'silent',
    damaged: primary.broken.length > 0,
    usable: copies.filter(({ state }) => state === 'usable' || state === 'gap'),
    ready: standbys.filter(({ state }) => state === 'streams' || state === 'waits'),
    region: around(symptoms, primary.region),
    // Where a domain begins with the region there is no provider in it to be told from others.
    provider: provider === primary.region ? undefined : around(symptoms, provider),
  };
}

function around({ standbys, copies, buckets }: Symptoms, name: string): Around | undefined {
  const inside = [...standbys, ...copies, ...buckets].filter(({ failureDomain }) =>
    `/${failureDomain}/`.includes(`/${name}/`),
  );
  if (inside.length === 0) return undefined;
  return { name, count: inside.length, silent: inside.every(({ state }) => state === 'silent') };
}

function objectLoss({ buckets }: Seen): ReturnType<Rule> {
  const gone = buckets.filter(({ which, state }) => which === 'primary' && state === 'gone');
  const holed = buckets.filter(({ which, missing }) => which === 'primary' && missing > 0);
  if (gone.length > 0) {
    const names = gone.map(({ store }) => store).join(', ');
    return {
      certainty: 'likely',
      because: `the bucket of ${names} is not there any more`,
      loses: 'files that the secondary bucket does not hold yet',
    };
  }
  if (holed.length === 0) return undefined;
  return {
    certainty: 'likely',
    because: holed
      .map(({ store, missing }) => `${formatCount(missing)} files that rows name are missing in ${store}`)
      .join('; '),
    loses: holed.every(({ versioned }) => versioned)
      ? 'nothing, while the versions from before are kept'
      : 'what has no version from before and no copy in the secondary bucket',
    // Without it the whole bucket counts as lost.
    needs: 'before',
  };
}

function badDeployment({ primary, damaged, applications, records }: Seen): ReturnType<Rule> {
  if (primary.state !== 'writes' || damaged) return undefined;
  if (records.some(({ state, site }) => state !== 'leads' || site !== primary.site)) return undefined;
  const failing = applications.filter(({ health, failing }) => health === 'unhealthy' || failing.length > 0);
  const silent = applications.filter(({ health }) => health === 'silent');
  const loses = 'nothing; writes of the new release stay, also where it migrated the database';
  if (failing.length > 0) {
    const what = failing.map(({ name, failing: titles }) =>
      titles.length === 0 ? `${name} says that it is not healthy` : `${name} fails (${titles.join(', ')})`,
    );
    return {
      certainty: 'likely',
      because: `${what.join('; ')}, while the database takes writes and obeys what it was asked`,
      loses,
    };
  }
  if (silent.length === 0) return undefined;
  const names = silent.map(({ name }) => name).join(', ');
  return {
    certainty: 'possible',
    because: `${names} does not answer, while the database takes writes; perhaps it only has to be started`,
    loses,
  };
}

function azLoss(seen: Seen): ReturnType<Rule> {
  const { lost, ready, primary } = seen;
  const elsewhere = ready.filter(({ failureDomain }) => failureDomain !== primary.failureDomain);
  const [best] = [...elsewhere].sort((a, b) => (a.lagMs ?? Infinity) - (b.lagMs ?? Infinity));
  if (!lost || best === undefined) return undefined;
  const lag =
    best.lagMs === null ? 'how far it lags is not known' : `it lagged by ${formatDuration(best.lagMs)}`;
  const loses = `what ${best.site} has not received and nobody has archived; ${lag}`;
  if (best.state === 'streams') {
    return {
      certainty: 'possible',
      because: `${primary.site} does not answer from here, but the standby ${best.site} still hears it: rather the way from here is cut`,
      loses,
    };
  }
  const provider = seen.provider?.name;
  if (providerOutage(seen)?.certainty === 'likely' && best.failureDomain.split('/')[0] !== provider) {
    return {
      certainty: 'possible',
      because: `the standby ${best.site} can take over, but it is not the zone alone that is lost: nothing at ${provider} answers`,
      loses,
    };
  }
  return {
    certainty: 'likely',
    because: `${primary.site} does not answer, the standby ${best.site} hears nothing of it any more and can take over`,
    loses,
  };
}

function infrastructureFailure({ lost, usable, ready, region, primary, nowMs }: Seen): ReturnType<Rule> {
  if (!lost || usable.length === 0 || region?.silent === true) return undefined;
  const likely = ready.length === 0;
  const standby = likely
    ? 'no standby can take over'
    : 'a standby could take over too, which loses less and is quicker';
  return {
    certainty: likely ? 'likely' : 'possible',
    because: `${primary.site} does not answer, backups do; ${standby}`,
    loses: sinceNewest(usable, nowMs),
  };
}

function corruption({ damaged, usable, primary }: Seen): ReturnType<Rule> {
  if (!damaged || usable.length === 0) return undefined;
  return {
    certainty: 'likely',
    because: `the data at ${primary.site} breaks what must hold: ${primary.broken.join('; ')}`,
    loses: 'what was written since the damage began, as far as it cannot be carried over',
  };
}

function providerOutage({
  lost,
  provider,
  applications,
  region,
  usable,
  ready,
  nowMs,
}: Seen): ReturnType<Rule> {
  if (!lost || provider === undefined) return undefined;
  const silentApplications = applications.every(({ health }) => health === 'silent');
  if (!provider.silent || !silentApplications) return undefined;
  return {
    certainty: region?.silent === true && region.name !== provider.name ? 'likely' : 'possible',
    because: `nothing at ${provider.name} answers: ${provider.count} others besides the primary`,
    loses: ready.length > 0 ? 'what the standby elsewhere has not received' : sinceNewest(usable, nowMs),
  };
}

function regionalLoss({ lost, region, usable, primary, nowMs }: Seen): ReturnType<Rule> {
  if (!lost || region?.silent !== true) return undefined;
  const away = usable.filter(({ failureDomain }) => !`/${failureDomain}/`.includes(`/${primary.region}/`));
  return {
    certainty: away.length > 0 ? 'likely' : 'possible',
    because: `nothing in ${primary.region} answers: the primary and ${region.count} others`,
    loses: away.length > 0 ? sinceNewest(away, nowMs) : 'not known: no copy outside of the region answers',
  };
}

function breach({ primary }: Seen): ReturnType<Rule> {
  const loses = 'what was written since the newest point from before the intrusion';
  if (primary.strangers.length > 0) {
    return {
      certainty: 'likely',
      because: `${primary.site} has superusers that the runbook does not know: ${primary.strangers.join(', ')}`,
      loses,
    };
  }
  if (primary.state !== 'denied') return undefined;
  return {
    certainty: 'possible',
    because: `${primary.site} answers and refuses Muster's own login: its password was changed by somebody, or the reference in the runbook is old`,
    loses,
  };
}

function backupLoss({ lost, damaged, usable, copies, ready, primary }: Seen): ReturnType<Rule> {
  const known = copies.length > 0 && copies.every(({ state }) => state !== 'unseen');
  if ((!lost && !damaged) || usable.length > 0 || !known) return undefined;
  return {
    certainty: lost && !damaged && ready.length > 0 ? 'possible' : 'likely',
    because: `${primary.site} ${lost ? 'does not answer' : 'is damaged'}, and none of its ${copies.length} backup copies can be used: ${copies.map(({ title, state }) => `${title} ${state}`).join(', ')}`,
    loses: 'not known before every copy anywhere was tried',
  };
}

function failback({ primary, damaged, applications }: Seen): ReturnType<Rule> {
  if (primary.site === primary.home || primary.state !== 'writes' || damaged) return undefined;
  if (applications.some(({ health }) => health !== 'healthy')) return undefined;
  return {
    certainty: 'possible',
    because: `the system runs at ${primary.site} since a recovery; its home is ${primary.home}. Nothing urges`,
    loses: 'nothing: it is switched over once both sides hold the same',
  };
}

function sinceNewest(copies: Symptoms['copies'], nowMs: number): string {
  const [newest] = copies
    .flatMap(({ newest }) => (newest === null ? [] : [Date.parse(newest)]))
    .sort((a, b) => b - a);
  if (newest === undefined) return 'what was written since the newest backup; when that was is not known';
  const ago = formatDuration(Math.max(0, nowMs - newest));
  return `what was written since ${new Date(newest).toISOString()}, ${ago} before this look`;
}

function cannotTell(seen: Seen): string[] {
  const { primary, copies, standbys, buckets, vault, lost, damaged, records, usable } = seen;
  const states = [primary, ...standbys, ...copies, ...buckets].map(({ state }) => state);
  const unseen = [...states, vault].filter((state) => state === 'unseen').length;
  return [
    ...(lost
      ? ['whether the primary is gone or only the way from here to it: ask somebody who can see it']
      : []),
    ...(damaged
      ? ['since when the data is wrong: somebody may know it, else the recovery searches for it']
      : []),
    ...(primary.unasked.length > 0
      ? [`whether these hold, which take longer than a look: ${primary.unasked.join(', ')}`]
      : []),
    ...(unseen > 0
      ? [`anything about ${unseen} of what was looked at: this machine has not what it takes (see ? above)`]
      : []),
    ...(primary.state === 'denied' ? ['anything about the data: nobody was let in'] : []),
    ...(usable.length > 0 ? ['whether a backup can be restored: only a restore shows it'] : []),
    ...(standbys.some(({ state }) => state === 'silent') && !lost
      ? ['what is wrong with the standby that does not answer; the primary serves without it']
      : []),
    ...(vault !== 'answers'
      ? [
          'where the system was promoted last and whether another orchestrator recovers it: nothing is known of the vault, and without it nothing is fenced or promoted',
        ]
      : []),
    ...(records.some(({ state }) => state !== 'leads')
      ? [
          'why the name does not lead where it should: no recovery mends that, its zone and resolvers have to be looked at',
        ]
      : []),
    'whether somebody has broken in who left none of the traces that were looked for',
  ];
}
