import { join } from 'node:path';
import { resolveSecret } from '../../src/secrets.js';
import type { Account } from '../account.js';
import type { Layout, RegionName, SiteName } from '../layout.js';
import { portOf } from '../ports.js';
import type { Secrets } from '../secrets.js';
import type { LabState } from '../state.js';
import { tlsFiles } from '../tls.js';
import type { DnsSetup } from './dns.js';
import type { Programs } from './lookup.js';
import type { PartSpec } from './part.js';
import { postgresPart } from './postgres.js';
import { type ObjectStore, s3Part } from './s3.js';
import { temporalPart } from './temporal.js';

/** Everything from which the processes of a lab can be described. */
export interface PartContext {
  readonly layout: Layout;
  readonly state: LabState;
  readonly secrets: Secrets;
  readonly programs: Programs;
  readonly account: Account;
}

/** The object store of a region. */
export function regionStore(context: PartContext, region: RegionName): ObjectStore {
  const { layout, secrets } = context;
  return {
    region,
    folder: layout.s3[region],
    port: portOf(context.state.regions[region].endpoint),
    tls: tlsFiles(layout.tls),
    accessKeyId: secrets[`s3-${region}-access-key-id`],
    secretAccessKey: secrets[`s3-${region}-secret-access-key`],
    program: context.programs.versitygw,
    logFile: join(layout.logs, `s3-${region}.log`),
  };
}

/** The S3 server of a region. */
export function regionPart(context: PartContext, region: RegionName): Promise<PartSpec> {
  return s3Part(regionStore(context, region));
}

/** The ledger's server at a site. */
export function ledgerPart(context: PartContext, site: SiteName): PartSpec {
  const { layout, state, programs } = context;
  const cluster = layout.sites[site];
  return postgresPart({
    name: `postgres-${site}`,
    layout: cluster,
    bin: programs.postgresBin,
    account: context.account,
    address: state.ledger.sites[site].address,
    port: state.ledger.sites[site].port,
    login: {
      user: state.ledger.admin.user,
      // A recovery from a breach gives it another one.
      password: () => resolveSecret(state.ledger.admin.password),
      // The ledger's own database is closed to everybody while it is fenced.
      database: 'postgres',
    },
  });
}

/** Muster's own store. */
export function storePart(context: PartContext): PartSpec {
  const { layout, state, programs, secrets } = context;
  return postgresPart({
    name: 'store',
    layout: layout.store,
    bin: programs.postgresBin,
    account: context.account,
    address: state.store.address,
    port: state.store.port,
    login: {
      user: state.store.login.user,
      password: secrets['store-password'],
      database: state.store.database,
    },
  });
}

/** Temporal with its UI. */
export function orchestratorPart(context: PartContext): Promise<PartSpec> {
  const { temporal, payloads } = context.state;
  return temporalPart({
    program: context.programs.temporal,
    folder: context.layout.temporal,
    logFile: join(context.layout.logs, 'temporal.log'),
    codecEndpoint: payloads?.codecUrl,
    ports: {
      temporal: portOf(temporal.address),
      temporalUi: portOf(temporal.uiUrl),
      temporalHttp: portOf(temporal.httpUrl),
    },
  });
}

/** The Route 53 API and the DNS server that answers from it. */
export function dnsSetup(context: PartContext): DnsSetup {
  const { layout, state, secrets, programs } = context;
  return {
    apiProgram: programs.ministack,
    serverProgram: programs.coredns,
    apiFolder: layout.route53,
    serverFolder: layout.dns,
    apiLog: join(layout.logs, 'route53.log'),
    serverLog: join(layout.logs, 'dns.log'),
    apiPort: portOf(state.dns.route53Endpoint),
    serverPort: portOf(state.dns.resolver),
    accessKeyId: secrets['route53-access-key-id'],
    secretAccessKey: secrets['route53-secret-access-key'],
  };
}
