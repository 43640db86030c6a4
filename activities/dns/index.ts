/** Traffic follows: the DNS record that leads applications to the database. */

import { PermanentError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import type { DnsRecord } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { FenceProof, MusterActivities, RecordChange, StepRef } from '../contract.js';
import { requireReal } from '../production.js';
import { type Claim, readClaims, requireFencingToken, type Vault, withVault } from '../vault/index.js';
import { type Change, changeRecord } from './change.js';
import type { DnsDriver, OpenDns } from './driver.js';
import { untilResolversAnswer } from './resolvers.js';
import { openRfc2136 } from './rfc2136.js';
import { openRoute53 } from './route53.js';

type Drivers = { readonly [D in DnsRecord['driver']]: OpenDns<Extract<DnsRecord, { driver: D }>> };

const drivers: Drivers = { route53: openRoute53, rfc2136: openRfc2136 };

/** Resolvers may hold the old answer for its TTL; this much more is for the authority and the network. */
const RESOLVER_GRACE_MS = 60_000;

export function dnsActivities(): Pick<MusterActivities, 'lowerTtl' | 'restoreTtl' | 'cutOver'> {
  return {
    lowerTtl: ({ at, record, site }) => setTtl(at, record, site, record.recoveryTtl),
    async restoreTtl({ at, record, site, elsewhere }) {
      try {
        return await setTtl(at, record, site, record.ttl);
      } catch (error) {
        if (elsewhere !== 'left' || !isCode(error, 'RecordChangedByOthers')) throw error;
        return leftAlone(record);
      }
    },
    async cutOver({ at, record, from, to, fence, vault }) {
      requireReal(at, `lead ${record.name} elsewhere`);
      const signal = activitySignal();
      const expected = valuesOf(record, from);
      const values = valuesOf(record, to);
      return withDns(record, signal, async (driver) => {
        const change = await withVault(vault, signal, (open) => {
          // While the record is read; what has come since is asked last before the act: a run that was overtaken must not move
          // traffic.
          const claims = readClaims(open, at.system);
          claims.catch(() => undefined);
          return changeRecord(
            driver,
            record,
            expected,
            ({ ttl }) => ({ values, ttl }),
            async () => requireInCharge(open, at, fence, await claims),
          );
        });
        const staleForMs = change.before.ttl * 1000;
        const [seenAfterMs] = await Promise.all([
          untilResolversAnswer(record, values, staleForMs + RESOLVER_GRACE_MS, signal),
          settled(driver, change),
        ]);
        return describe(record, change, seenAfterMs, staleForMs);
      });
    },
  };
}

async function setTtl(at: StepRef, record: DnsRecord, site: string, ttl: number): Promise<RecordChange> {
  requireReal(at, `change the TTL of ${record.name}`);
  const signal = activitySignal();
  const values = valuesOf(record, site);
  return withDns(record, signal, async (driver) => {
    const change = await changeRecord(driver, record, values, () => ({ values, ttl }));
    await settled(driver, change);
    return describe(record, change, {}, change.before.ttl * 1000);
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof PermanentError && error.code === code;
}

/** Another run, or a person, has led the record elsewhere since. */
function leftAlone(record: DnsRecord): Promise<RecordChange> {
  return withDns(record, activitySignal(), async (driver) => {
    const now = await driver.read();
    const told = describe(record, { before: now, after: now, changeId: '' }, {}, now.ttl * 1000);
    return {
      ...told,
      summary: `${record.name} leads to ${now.values.join(', ')} by now: it was left as it is`,
    };
  });
}

/** Waits until all servers of the authority serve a change. */
async function settled(driver: DnsDriver, { changeId }: Change): Promise<void> {
  if (changeId !== '') await driver.settled(changeId);
}

/** @throws PermanentError `FenceSuperseded`, `NotPromoted` */
async function requireInCharge(
  open: Vault,
  at: StepRef,
  fence: FenceProof,
  known: readonly Claim[],
): Promise<void> {
  const claims = await requireFencingToken(open, { ...at, token: fence.token }, known);
  if (claims.at(-1)?.kind === 'promotion') return;
  throw new PermanentError('NotPromoted', `Run ${at.runId} has not promoted a copy of ${at.system}.`, {
    why: 'Traffic must not be led to a database that takes no writes.',
    next: 'Promote first, then retry the step.',
  });
}

function valuesOf(record: DnsRecord, site: string): readonly string[] {
  const values = record.values[site];
  if (values !== undefined) return values;
  throw new PermanentError('EmptyRecord', `The runbook gives no value of ${record.name} for ${site}.`, {
    next: `Add dns.<record>.values.${site} to the runbook.`,
  });
}

/** Looks whether a record could be changed now; changes nothing. @throws what the driver throws */
export async function dnsReadiness(record: DnsRecord): Promise<string> {
  const { summary } = await withDns(record, activitySignal(), (driver) => driver.ready());
  return summary;
}

/** Where a record leads now, asked of its authority. @throws what the driver throws */
export function readRecord(record: DnsRecord) {
  return withDns(record, activitySignal(), (driver) => driver.read());
}

async function withDns<T>(
  record: DnsRecord,
  signal: AbortSignal,
  work: (driver: DnsDriver) => Promise<T>,
): Promise<T> {
  // The name of the driver and the record that it takes belong together.
  const open = drivers[record.driver] as OpenDns;
  const driver = await open(record, signal);
  try {
    return await work(driver);
  } finally {
    driver.close();
  }
}

function describe(
  record: DnsRecord,
  { before, after, changeId }: Change,
  seenAfterMs: Readonly<Record<string, number>>,
  staleForMs: number,
): RecordChange {
  const slowest = Math.max(0, ...Object.values(seenAfterMs));
  const count = Object.keys(seenAfterMs).length;
  const what =
    changeId === ''
      ? `${record.name} held ${after.values.join(', ')} with TTL ${after.ttl} s already`
      : `${record.name} ${before.values.join(', ')} (TTL ${before.ttl} s) -> ${after.values.join(', ')} (TTL ${after.ttl} s)`;
  const seen =
    count === 0
      ? ''
      : `; all ${count} resolvers followed within ${formatDuration(slowest)}; other clients may hold the old answer for ${formatDuration(staleForMs)}`;
  return {
    record: record.name,
    before: before.values,
    after: after.values,
    ttlBefore: before.ttl,
    ttlAfter: after.ttl,
    changeId,
    seenAfterMs,
    staleForMs,
    summary: `${what}${seen}`,
  };
}
