import { Resolver } from 'node:dns/promises';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import type { PartSpec } from './part.js';

/** Payymo's private zone and the name by which its application finds the database; other systems have their own. */
export const ZONE = 'payymo.internal';
export const RECORD = 'ledger-db.payymo.internal';
/** Seconds; what the owner has in production. */
export const RECORD_TTL = 60;
const REGION = 'us-east-1';

/** A private zone of the lab, and the record in it that leads an application to its database. */
export interface LabZone {
  readonly zone: string;
  readonly record: string;
}

/** The Route 53 API of the lab and the server that answers from it. */
export interface DnsSetup {
  readonly apiProgram: string;
  readonly serverProgram: string;
  readonly apiFolder: string;
  readonly serverFolder: string;
  readonly apiLog: string;
  readonly serverLog: string;
  readonly apiPort: number;
  readonly serverPort: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The Route 53 API's process. */
export async function route53Part(setup: DnsSetup): Promise<PartSpec> {
  await mkdir(setup.apiFolder, { recursive: true });
  return {
    name: 'route53',
    command: setup.apiProgram,
    args: [],
    env: {
      SERVICES: 'route53',
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(setup.apiPort),
      IOT_MTLS_ENABLED: '0',
      SFTP_ENABLED: '0',
      LOG_LEVEL: 'WARNING',
      TMPDIR: setup.apiFolder,
    },
    cwd: setup.apiFolder,
    address: apiEndpoint(setup),
    logFile: setup.apiLog,
    dataDir: setup.apiFolder,
    stopSignal: 'SIGKILL',
    deadlineMs: 60_000,
    answers: async () => {
      await withApi(setup, (api) => api.send(new ListHostedZonesByNameCommand({ MaxItems: 1 })));
    },
  };
}

/** URL of the Route 53 API. */
export function apiEndpoint(setup: DnsSetup): string {
  return `http://127.0.0.1:${setup.apiPort}`;
}

/**
 * Finds or makes the zone, and the record where it is missing; a record that is there is never touched, whatever it says.
 *
 * @param address where the record leads when it has to be made
 * @returns the zone's identifier and where the record leads now
 */
export async function ensureZone(
  setup: DnsSetup,
  { zone, record }: LabZone,
  address: string,
): Promise<{ zoneId: string; leadsTo: string }> {
  return withApi(setup, async (api) => {
    const listed = await api.send(new ListHostedZonesByNameCommand({ DNSName: zone, MaxItems: 1 }));
    let id = listed.HostedZones?.find(({ Name }) => Name === `${zone}.`)?.Id;
    if (!id) {
      const made = await api.send(
        new CreateHostedZoneCommand({ Name: zone, CallerReference: `lab-${zone}-${Date.now()}` }),
      );
      id = made.HostedZone?.Id;
    }
    const zoneId = (id ?? '').replace('/hostedzone/', '');
    const records = await api.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
    const present = records.ResourceRecordSets?.find(
      ({ Name, Type }) => Name === `${record}.` && Type === 'A',
    );
    if (present) return { zoneId, leadsTo: present.ResourceRecords?.[0]?.Value ?? '' };
    await api.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: zoneId,
        ChangeBatch: {
          Changes: [
            {
              Action: 'CREATE',
              ResourceRecordSet: {
                Name: record,
                Type: 'A',
                TTL: RECORD_TTL,
                ResourceRecords: [{ Value: address }],
              },
            },
          ],
        },
      }),
    );
    return { zoneId, leadsTo: address };
  });
}

/**
 * The DNS server's process, UDP and TCP; it answers when it knows every record.
 *
 * @returns the process, and whether it serves other zones than it was last started for
 */
export async function dnsPart(
  setup: DnsSetup,
  zones: readonly (LabZone & { readonly zoneId: string })[],
): Promise<{ readonly part: PartSpec; readonly changed: boolean }> {
  await mkdir(setup.serverFolder, { recursive: true });
  const config = join(setup.serverFolder, 'Corefile');
  const text = zones
    .flatMap(({ zone, zoneId }) => [
      `${zone}:${setup.serverPort} {`,
      '  bind 127.0.0.1',
      `  route53 ${zone}.:${zoneId} {`,
      '    refresh 1s',
      '  }',
      '  errors',
      '}',
      '',
    ])
    .join('\n');
  const changed = (await readFile(config, 'utf8').catch(() => '')) !== text;
  await writeFile(config, text);
  const part: PartSpec = {
    name: 'dns',
    command: setup.serverProgram,
    args: ['-conf', config],
    // The plugin's own directive for the endpoint does not work in this version.
    env: {
      AWS_ENDPOINT_URL: apiEndpoint(setup),
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: setup.accessKeyId,
      AWS_SECRET_ACCESS_KEY: setup.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    cwd: setup.serverFolder,
    address: `127.0.0.1:${setup.serverPort}`,
    logFile: setup.serverLog,
    stopSignal: 'SIGKILL',
    deadlineMs: 20_000,
    answers: async () => {
      const resolver = new Resolver({ timeout: 1_000, tries: 1 });
      resolver.setServers([`127.0.0.1:${setup.serverPort}`]);
      await Promise.all(zones.map(({ record }) => resolver.resolve4(record)));
    },
  };
  return { part, changed };
}

async function withApi<T>(setup: DnsSetup, work: (api: Route53Client) => Promise<T>): Promise<T> {
  const api = new Route53Client({
    endpoint: apiEndpoint(setup),
    region: REGION,
    credentials: { accessKeyId: setup.accessKeyId, secretAccessKey: setup.secretAccessKey },
    maxAttempts: 1,
    requestHandler: { requestTimeout: 5_000, connectionTimeout: 2_000 },
  });
  try {
    return await work(api);
  } finally {
    api.destroy();
  }
}
