import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ChangeResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import {
  apiEndpoint,
  type DnsSetup,
  dnsPart,
  ensureZone,
  RECORD,
  route53Part,
  ZONE,
} from '../../../lab/parts/dns.js';
import { findPrograms } from '../../../lab/parts/lookup.js';
import { startPart, untilAnswers } from '../../../lab/parts/part.js';
import { freePorts } from '../../../lab/ports.js';
import { type ProcessMark, stopProcess } from '../../../lab/process.js';
import type { Route53Record } from '../../../src/runbook/schema.js';
import { temporaryFolder } from './folder.js';

export const OLD = '127.0.2.1';
export const NEW = '127.0.3.1';
const ZONE_OF_LAB = { zone: ZONE, record: RECORD };

/** A real Route 53 API and a server that answers from it. */
export interface TestDns {
  readonly record: Route53Record;
  /** What somebody else does to the zone. */
  change(action: 'UPSERT' | 'DELETE', values: readonly string[], ttl: number): Promise<void>;
  /** The API itself. */
  readonly api: Route53Client;
  remove(): Promise<void>;
}

export async function startDns(): Promise<TestDns> {
  const folder = await temporaryFolder('dns');
  const programs = await findPrograms();
  const { apiPort, serverPort } = await freePorts({
    apiPort: { addresses: ['127.0.0.1'] },
    serverPort: { addresses: ['127.0.0.1'], udp: 'udp' },
  });
  const setup: DnsSetup = {
    apiProgram: programs.ministack,
    serverProgram: programs.coredns,
    apiFolder: join(folder.path, 'api'),
    serverFolder: join(folder.path, 'server'),
    apiLog: join(folder.path, 'api.log'),
    serverLog: join(folder.path, 'server.log'),
    apiPort,
    serverPort,
    accessKeyId: 'dns-key',
    secretAccessKey: 'dns-secret',
  };
  const marks: ProcessMark[] = [];
  const start = async (spec: Parameters<typeof startPart>[0]) => {
    const mark = await startPart(spec);
    marks.push(mark);
    await untilAnswers(spec, mark);
  };
  await start(await route53Part(setup));
  const { zoneId } = await ensureZone(setup, ZONE_OF_LAB, OLD);
  await start((await dnsPart(setup, [{ ...ZONE_OF_LAB, zoneId }])).part);
  await writeFile(join(folder.path, 'key'), setup.accessKeyId);
  await writeFile(join(folder.path, 'secret'), setup.secretAccessKey);
  const api = new Route53Client({
    endpoint: apiEndpoint(setup),
    region: 'us-east-1',
    credentials: { accessKeyId: setup.accessKeyId, secretAccessKey: setup.secretAccessKey },
  });
  return {
    api,
    record: {
      driver: 'route53',
      zoneId,
      name: RECORD,
      type: 'A',
      ttl: 60,
      recoveryTtl: 2,
      values: { west: [OLD], recovery: [NEW], nowhere: [] },
      resolvers: [`127.0.0.1:${serverPort}`],
      endpoint: apiEndpoint(setup),
      region: 'us-east-1',
      accessKeyId: `file:${join(folder.path, 'key')}`,
      secretAccessKey: `file:${join(folder.path, 'secret')}`,
    },
    async change(action, values, ttl) {
      const set: ResourceRecordSet = {
        Name: RECORD,
        Type: 'A',
        TTL: ttl,
        ResourceRecords: values.map((Value) => ({ Value })),
      };
      await api.send(
        new ChangeResourceRecordSetsCommand({
          HostedZoneId: zoneId,
          ChangeBatch: { Changes: [{ Action: action, ResourceRecordSet: set }] },
        }),
      );
    },
    async remove() {
      api.destroy();
      await Promise.all(marks.map((mark) => stopProcess(mark, 'SIGKILL')));
      await folder.remove();
    },
  };
}
