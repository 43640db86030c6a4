/** Whether primary and standbys answer and are sane. Reads only. */
import type { Client } from 'pg';
import type { PrimarySeen, StandbySeen } from '../../src/diagnosis/symptoms.js';
import { formatDuration } from '../../src/model/format.js';
import { withClient } from '../../src/postgres.js';
import type { Invariant, PostgresSite } from '../../src/runbook/schema.js';
import type { DatabaseAt } from '../contract.js';
import { adminOf } from '../service/index.js';
import { onStandby, readFacts } from '../standby/state.js';
import { askInvariant } from '../verify/invariant-query.js';
import { type Absence, type Look, lookAt, said } from './look.js';

const CONNECT_MS = 3_000;
/** The primary may be the only one that serves: nothing is asked of it that takes longer. */
const INVARIANT_MS = 5_000;
const LOOK_MS = 30_000;
/** A standby that has not heard its primary for longer hears it no more. */
const HEARD_MS = 15_000;

export interface PrimaryPlace extends DatabaseAt {
  readonly home: string;
  readonly region: string;
  readonly failureDomain: string;
}

export function lookAtPrimary(
  { site, postgres, home, region, failureDomain }: PrimaryPlace,
  invariants: readonly Invariant[],
): Promise<Look<PrimarySeen>> {
  const silent: PrimarySeen = {
    ...{ site, home, region, failureDomain, state: 'silent' },
    ...{ broken: [], unasked: [], strangers: [] },
  };
  const absent = (state: Absence): PrimarySeen => ({ ...silent, state });
  return lookAt(`primary ${site}`, LOOK_MS, absent, async () => {
    let state: PrimarySeen['state'];
    let strangers: readonly string[];
    try {
      ({ state, strangers } = await onServer(postgres, readServer));
    } catch (error) {
      if (!isDenied(error)) throw error;
      const saw = `it answers and lets Muster not in: ${said(error)}`;
      return { verdict: 'wrong', saw, symptom: { ...silent, state: 'denied' } };
    }
    const { broken, unasked } = await askAll(postgres, invariants);
    const words = [
      STATES[state],
      ...(strangers.length === 0
        ? []
        : [`superusers that the runbook does not know: ${strangers.join(', ')}`]),
      ...(broken.length === 0 ? [] : [`broken: ${broken.join('; ')}`]),
      `${invariants.length - broken.length - unasked.length} of ${invariants.length} invariants hold`,
      ...(unasked.length === 0
        ? []
        : [`without an answer within ${INVARIANT_MS / 1000} s: ${unasked.join(', ')}`]),
    ];
    const right = state === 'writes' && broken.length === 0 && strangers.length === 0;
    return {
      verdict: right ? 'fine' : 'wrong',
      saw: words.join('; '),
      symptom: { ...silent, state, broken, unasked, strangers },
    };
  });
}

const STATES: Readonly<Record<PrimarySeen['state'], string>> = {
  writes: 'takes writes',
  'refuses-writes': 'refuses writes (default_transaction_read_only)',
  'in-recovery': 'is in recovery: it is no primary',
  denied: 'lets nobody in',
  silent: 'does not answer',
  unseen: 'cannot be looked at',
};

async function readServer(client: Client) {
  const { rows } = await client.query<{ recovering: boolean; readonly: boolean; strangers: string[] }>(
    `select pg_is_in_recovery() as recovering, current_setting('default_transaction_read_only')::boolean as readonly,
       -- 10 is who initdb made.
       coalesce((select array_agg(rolname::text order by rolname) from pg_roles
         where rolsuper and oid <> 10 and rolname <> current_user), '{}') as strangers`,
  );
  const [row] = rows;
  const state: PrimarySeen['state'] =
    row?.recovering !== false ? 'in-recovery' : row.readonly ? 'refuses-writes' : 'writes';
  return { state, strangers: row?.strangers ?? [] };
}

async function askAll(postgres: PostgresSite, invariants: readonly Invariant[]) {
  const broken: string[] = [];
  const unasked: string[] = [];
  await Promise.all(
    invariants.map(async (invariant) => {
      const timeout = Math.min(INVARIANT_MS, invariant.timeout);
      try {
        const { violations } = await askInvariant(postgres, { ...invariant, timeout });
        if (violations > 0) broken.push(`not so: ${invariant.title}`);
      } catch {
        unasked.push(invariant.name);
      }
    }),
  );
  return { broken: broken.sort(), unasked: unasked.sort() };
}

export function lookAtStandby(standby: DatabaseAt, failureDomain: string): Promise<Look<StandbySeen>> {
  const { site } = standby;
  const silent: StandbySeen = { site, failureDomain, state: 'silent', lagMs: null };
  const absent = (state: Absence): StandbySeen => ({ ...silent, state });
  return lookAt(`standby ${site}`, LOOK_MS, absent, async () => {
    const facts = await onStandby(standby, readFacts, CONNECT_MS);
    const { inRecovery, heardAt, lastCommitAt, timeline, receiver } = facts;
    if (!inRecovery) {
      const saw = `it takes writes, on timeline ${timeline}: it is no standby any more`;
      return { verdict: 'wrong', saw, symptom: { ...silent, state: 'promoted' } };
    }
    const heardMs = heardAt === null ? Number.POSITIVE_INFINITY : Date.now() - Date.parse(heardAt);
    const streams = receiver === 'streaming' && heardMs < HEARD_MS;
    const lagMs =
      heardAt === null || lastCommitAt === null
        ? null
        : Math.max(0, Date.parse(heardAt) - Date.parse(lastCommitAt));
    const heard = heardAt === null ? 'its primary was never heard' : `last heard at ${heardAt}`;
    const words = [
      streams ? 'streams' : 'hears nothing of its primary',
      `timeline ${timeline}`,
      heard,
      lastCommitAt === null ? 'no commit replayed yet' : `newest commit ${lastCommitAt}`,
      ...(lagMs === null ? [] : [`${formatDuration(lagMs)} between them`]),
    ];
    return {
      verdict: streams ? 'fine' : 'wrong',
      saw: words.join('; '),
      symptom: { ...silent, state: streams ? 'streams' : 'waits', lagMs },
    };
  });
}

function onServer<T>(postgres: PostgresSite, work: (client: Client) => Promise<T>): Promise<T> {
  const options = {
    statementTimeoutMs: CONNECT_MS,
    connectTimeoutMs: CONNECT_MS,
    applicationName: 'muster diagnose',
  };
  return withClient(adminOf(postgres), options, work);
}

/** Class 28 (PostgreSQL manual, appendix A): invalid authorization. */
function isDenied(error: unknown): boolean {
  const { code } = ((error as { cause?: unknown }).cause ?? {}) as { code?: unknown };
  return typeof code === 'string' && code.startsWith('28');
}
