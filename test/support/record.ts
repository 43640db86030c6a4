/** The lab's DNS record as the Route 53 API holds it, asked for without any code of Muster's. */
import { ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import type { LabState } from '../../lab/state.js';
import { secretOf } from './lab.js';

export interface RecordInDns {
  readonly ttl: number | undefined;
  readonly values: readonly (string | undefined)[];
}

export async function recordInDns({ dns }: Pick<LabState, 'dns'>): Promise<RecordInDns> {
  const api = new Route53Client({
    endpoint: dns.route53Endpoint,
    region: 'us-east-1',
    credentials: {
      accessKeyId: await secretOf(dns.accessKeyId),
      secretAccessKey: await secretOf(dns.secretAccessKey),
    },
  });
  try {
    const { ResourceRecordSets = [] } = await api.send(
      new ListResourceRecordSetsCommand({
        HostedZoneId: dns.zoneId,
        StartRecordName: dns.record,
        MaxItems: 1,
      }),
    );
    const [found] = ResourceRecordSets;
    return { ttl: found?.TTL, values: found?.ResourceRecords?.map(({ Value }) => Value) ?? [] };
  } finally {
    api.destroy();
  }
}
