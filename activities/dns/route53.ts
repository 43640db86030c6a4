/**
 * Amazon Route 53. Compare-and-swap is a change batch of DELETE and CREATE: a batch is applied whole or not at all, and DELETE
 * must give name, type, TTL and values exactly as they are (API reference, ChangeResourceRecordSets). Of a name with a routing
 * policy all sets that change are in one batch, each as it was read.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  GetHealthCheckCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { Route53Record } from '../../src/runbook/schema.js';
import { resolveSecret } from '../../src/secrets.js';
import type { DnsDriver, OpenDns, RecordState } from './driver.js';
import { leadTo, ledTo, valuesOf } from './route53-sets.js';

const REQUEST_MS = 10_000;
const CONNECT_MS = 3_000;
/** Usually within a minute. */
const SETTLED_MS = 180_000;
/** Route 53 takes five requests a second, an account. */
const POLL_MS = 500;
const FIRST_POLL_MS = 100;
/** More than any routing policy allows of one name and type. */
const MOST_SETS = 300;

export const openRoute53: OpenDns<Route53Record> = async (record, signal) => {
  const client = new Route53Client({
    region: record.region,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS },
    ...(record.endpoint === undefined ? {} : { endpoint: record.endpoint }),
    ...(record.accessKeyId === undefined || record.secretAccessKey === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: await resolveSecret(record.accessKeyId),
            secretAccessKey: await resolveSecret(record.secretAccessKey),
          },
        }),
  });
  return { ...driver(client, record, signal), close: () => client.destroy() };
};

function driver(client: Route53Client, record: Route53Record, signal: AbortSignal): DnsDriver {
  const limits = () => ({ abortSignal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]) });
  const ask = async <T>(request: () => Promise<T>): Promise<T> => {
    try {
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      throw dnsError(record, error);
    }
  };
  const set = ({ values, ttl }: RecordState): ResourceRecordSet => ({
    Name: record.name,
    Type: record.type,
    TTL: ttl,
    ResourceRecords: values.map((Value) => ({ Value })),
  });

  const { routing } = record;
  /** As they were when `read` gave their state: what a change deletes is exactly them. */
  let seen: readonly ResourceRecordSet[] = [];
  const read = () =>
    ask(async () => {
      const { ResourceRecordSets: listed = [] } = await client.send(
        new ListResourceRecordSetsCommand({
          HostedZoneId: record.zoneId,
          StartRecordName: record.name,
          StartRecordType: record.type,
          MaxItems: MOST_SETS,
        }),
        limits(),
      );
      seen = listed.filter((one) => sameName(one.Name ?? '', record.name) && one.Type === record.type);
      return routing === undefined ? plainRecord(record, seen) : ledTo(record, routing, seen);
    });
  const changes = (before: RecordState, after: RecordState): Change[] => {
    if (routing === undefined) return swap([set(before)], [set(after)]);
    const wanted = leadTo(record, routing, seen, after);
    const differs = (_: unknown, index: number) => !isDeepStrictEqual(seen[index], wanted[index]);
    return swap(seen.filter(differs), wanted.filter(differs));
  };

  /** What is known of a set's health check, in words. */
  const healthCheck = (set: string, id: string) =>
    ask(async () => {
      const { HealthCheck } = await client.send(new GetHealthCheckCommand({ HealthCheckId: id }), limits());
      const { Disabled, Inverted } = HealthCheck?.HealthCheckConfig ?? {};
      if (Disabled === true) return `${set} always counts as healthy: its health check is switched off`;
      return Inverted === true
        ? `${set} counts as healthy while its check fails`
        : `${set} has a health check`;
    });

  return {
    read,

    replace: (before, after) =>
      ask(async () => {
        try {
          const { ChangeInfo } = await client.send(
            new ChangeResourceRecordSetsCommand({
              HostedZoneId: record.zoneId,
              ChangeBatch: {
                Comment: 'Muster',
                Changes: changes(before, after),
              },
            }),
            limits(),
          );
          return (ChangeInfo?.Id ?? '').replace('/change/', '');
        } catch (error) {
          if (nameOf(error) === 'InvalidChangeBatch') return undefined;
          throw error;
        }
      }),

    async settled(changeId) {
      const deadline = performance.now() + SETTLED_MS;
      for (let pause = FIRST_POLL_MS; ; pause = Math.min(2 * pause, POLL_MS)) {
        const { ChangeInfo } = await ask(() => client.send(new GetChangeCommand({ Id: changeId }), limits()));
        if (ChangeInfo?.Status === 'INSYNC') return;
        if (performance.now() > deadline) {
          throw new TransientError(
            'DnsSlow',
            `Route 53 has not brought change ${changeId} to all its servers within ${SETTLED_MS / 1000} s.`,
            { next: 'See its status page. The change is made; the step goes on waiting by itself.' },
          );
        }
        await delay(pause, undefined, { signal });
      }
    },

    async ready() {
      const { values, ttl } = await read();
      const holds = `zone ${record.zoneId} holds ${record.name} ${values.join(', ')} (TTL ${ttl} s)`;
      const checks = await Promise.all(
        seen.flatMap(({ SetIdentifier = '', HealthCheckId }) =>
          HealthCheckId === undefined ? [] : [healthCheck(SetIdentifier, HealthCheckId)],
        ),
      );
      return { summary: [holds, ...checks].join('; ') };
    },
  };
}

/** One batch, applied whole or not at all. */
function swap(gone: readonly ResourceRecordSet[], made: readonly ResourceRecordSet[]): Change[] {
  return [
    ...gone.map((one): Change => ({ Action: 'DELETE', ResourceRecordSet: one })),
    ...made.map((one): Change => ({ Action: 'CREATE', ResourceRecordSet: one })),
  ];
}

function plainRecord(record: Route53Record, own: readonly ResourceRecordSet[]): RecordState {
  const [first] = own;
  if (first === undefined) {
    throw new PermanentError(
      'RecordMissing',
      `Zone ${record.zoneId} holds no ${record.type} record ${record.name}.`,
      {
        why: 'It may have been emptied by somebody or something else; Muster only replaces what it expects.',
        next: 'Find out who removed it, put it back as the runbook says, then retry the step.',
      },
    );
  }
  const values = valuesOf(first);
  if (own.length === 1 && first.SetIdentifier === undefined && first.TTL !== undefined && values.length > 0) {
    return { values, ttl: first.TTL };
  }
  throw new PermanentError(
    'RecordNotPlain',
    `${record.name} in zone ${record.zoneId} is an alias or has a routing policy (weighted, failover ...).`,
    {
      next: 'Describe its sets in the runbook (dns.<record>.routing), or change an alias by hand as the printed runbook says.',
    },
  );
}

/** Route 53 answers names with a final dot, in lower case, and with octal escapes for unusual characters. */
function sameName(one: string, other: string): boolean {
  const plain = (name: string) =>
    name
      .replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
      .replace(/\.$/, '')
      .toLowerCase();
  return plain(one) === plain(other);
}

function dnsError(record: Route53Record, error: unknown): Error {
  const name = nameOf(error) ?? '';
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const where = `Route 53${record.endpoint === undefined ? '' : ` at ${record.endpoint}`}`;
  if (error instanceof PermanentError) return error;
  if (name === 'NoSuchHealthCheck') {
    return new PermanentError(
      'HealthCheckMissing',
      `A set of ${record.name} names a health check that is gone: ${messageOf(error)}.`,
      {
        why: 'Route 53 then takes the set for healthy whatever happens to it.',
        next: 'Make the health check anew and name it in the set, then check again.',
        cause: error,
      },
    );
  }
  if (name === 'NoSuchHostedZone' || name === 'InvalidInput') {
    return new PermanentError(
      'ZoneMissing',
      `${where} does not know zone ${record.zoneId}: ${messageOf(error)}.`,
      {
        next: 'Correct dns in the runbook (zoneId), then retry the step.',
        cause: error,
      },
    );
  }
  if (status === 401 || status === 403) {
    return new PermanentError('DnsDenied', `${where} refuses Muster: ${messageOf(error)}.`, {
      next: 'Check the keys that dns in the runbook refers to and their rights, then retry the step.',
      cause: error,
    });
  }
  return new TransientError('DnsUnreachable', `${where} does not answer as it should: ${messageOf(error)}.`, {
    next: 'The step tries again by itself. If it stays so, change the record by hand as the printed runbook says.',
    cause: error,
  });
}

function nameOf(error: unknown): string | undefined {
  return (error as { name?: string }).name;
}
