/** What clients see: resolvers asked until each gives the new answer. */
import { Resolver } from 'node:dns/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PermanentError } from '../../src/errors.js';
import type { DnsRecord } from '../../src/runbook/schema.js';

const QUERY_MS = 2_000;
const POLL_MS = 100;

/**
 * Asks every resolver of the record until all of them answer `values`.
 *
 * @param deadlineMs how long they may take: the old TTL and some
 * @returns per resolver, milliseconds until it gave the new answer
 * @throws PermanentError `ResolversBehind` naming those that do not, and what they say
 */
export async function untilResolversAnswer(
  record: DnsRecord,
  values: readonly string[],
  deadlineMs: number,
  signal: AbortSignal,
): Promise<Readonly<Record<string, number>>> {
  const begun = performance.now();
  const results = await Promise.all(
    record.resolvers.map(async (resolver) => {
      for (;;) {
        const answer = await askResolver(resolver, record, signal);
        const elapsed = performance.now() - begun;
        if (sameValues(answer.values, values)) return { resolver, afterMs: Math.round(elapsed) };
        if (elapsed > deadlineMs) return { resolver, says: answer.says };
        await delay(POLL_MS, undefined, { signal });
      }
    }),
  );
  const behind = results.flatMap((one) => ('says' in one ? [`${one.resolver} (${one.says})`] : []));
  if (behind.length === 0) {
    return Object.fromEntries(
      results.flatMap((one) => ('afterMs' in one ? [[one.resolver, one.afterMs]] : [])),
    );
  }
  throw new PermanentError(
    'ResolversBehind',
    `After ${Math.round(deadlineMs / 1000)} s these resolvers do not answer ${values.join(', ')} for ${record.name}: ${behind.join('; ')}.`,
    {
      why: 'The record itself is changed; clients of these resolvers may still go to the old place, which refuses writes.',
      next: 'Flush their caches or see why they do not follow the zone, then retry the step: it only waits.',
    },
  );
}

/** What one resolver answers; no values: what it says instead. */
export async function askResolver(
  resolver: string,
  record: DnsRecord,
  signal: AbortSignal,
): Promise<{ readonly values: readonly string[]; readonly says: string }> {
  const client = new Resolver({ timeout: QUERY_MS, tries: 1 });
  client.setServers([resolver]);
  const cancel = () => client.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const values = await query(client, record);
    return { values, says: values.join(', ') };
  } catch (error) {
    signal.throwIfAborted();
    return { values: [], says: (error as { code?: string }).code ?? 'no answer' };
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function query(client: Resolver, { name, type }: DnsRecord): Promise<string[]> {
  if (type === 'A') return client.resolve4(name);
  return type === 'AAAA' ? client.resolve6(name) : client.resolveCname(name);
}

/** Same values in whatever order and spelling. */
export function sameValues(some: readonly string[], others: readonly string[]): boolean {
  const plain = (values: readonly string[]) =>
    values.map((value) => value.replace(/\.$/, '').toLowerCase()).sort();
  return JSON.stringify(plain(some)) === JSON.stringify(plain(others));
}
