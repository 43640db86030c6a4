import { randomBytes } from 'node:crypto';
import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findPrograms } from '../../../lab/parts/lookup.js';
import { type PartSpec, startPart, untilAnswers } from '../../../lab/parts/part.js';
import { freePorts } from '../../../lab/ports.js';
import { run, stopProcess } from '../../../lab/process.js';
import { loadParts } from '../../../src/parts.js';
import type { Rfc2136Record } from '../../../src/runbook/schema.js';
import { temporaryFolder } from './folder.js';

export const OLD = '127.0.2.1';
export const NEW = '127.0.3.1';
const ZONE = 'payymo.internal';
const RECORD = `ledger-db.${ZONE}`;
const KEY = `muster.${ZONE}`;

/** A real server that takes signed updates, a secondary that copies the zone, and a resolver that caches. */
export interface DynamicZone {
  readonly record: Rfc2136Record;
  /** Of the key, for `nsupdate -k`. */
  readonly keyFile: string;
  readonly secret: string;
  readonly secondary: string;
  /** What somebody else does to the record: lines of an update. */
  change(...lines: readonly string[]): Promise<void>;
  /** `nsupdate` with the key, as a person would call it. */
  byHand(script: string): Promise<string>;
  remove(): Promise<void>;
}

export async function startDynamicZone(): Promise<DynamicZone> {
  const folder = await temporaryFolder('zone');
  const loopback = { addresses: ['127.0.0.1'], udp: 'udp' } as const;
  const ports = await freePorts({ primary: loopback, secondary: loopback, resolver: loopback });
  const secret = randomBytes(32).toString('base64');
  const file = (name: string, text: string) => writeFile(join(folder.path, name), text, { mode: 0o600 });
  const keyFile = join(folder.path, 'update.key');
  await Promise.all([
    file('zone', zoneFile()),
    file('secret', `${secret}\n`),
    file('update.key', `key "${KEY}." { algorithm hmac-sha256; secret "${secret}"; };\n`),
    file('Corefile', corefile(ports, join(folder.path, 'zone'), secret)),
  ]);
  const part: PartSpec = {
    name: 'dns',
    command: findPrograms().coredns,
    args: ['-conf', join(folder.path, 'Corefile')],
    env: {},
    cwd: folder.path,
    address: `127.0.0.1:${ports.primary}`,
    logFile: join(folder.path, 'log'),
    stopSignal: 'SIGKILL',
    deadlineMs: 20_000,
    answers: async () => {
      for (const port of Object.values(ports)) await lookUp(`127.0.0.1:${port}`);
    },
  };
  const mark = await startPart(part);
  await untilAnswers(part, mark);
  const byHand = (script: string) =>
    run(loadParts().nsupdate.path, ['-v', '-k', keyFile], {
      timeoutMs: 10_000,
      cwd: folder.path,
      input: script,
    });
  return {
    record: {
      driver: 'rfc2136',
      zone: ZONE,
      name: RECORD,
      type: 'A',
      ttl: 60,
      recoveryTtl: 2,
      values: { west: [OLD], recovery: [NEW], nowhere: [] },
      resolvers: [`127.0.0.1:${ports.resolver}`],
      server: `127.0.0.1:${ports.primary}`,
      secondaries: [`127.0.0.1:${ports.secondary}`],
      key: { name: KEY, algorithm: 'hmac-sha256', secret: `file:${join(folder.path, 'secret')}` },
    },
    keyFile,
    secret,
    secondary: `127.0.0.1:${ports.secondary}`,
    byHand,
    change: async (...lines) => {
      await byHand([`server 127.0.0.1 ${ports.primary}`, `zone ${ZONE}.`, ...lines, 'send', ''].join('\n'));
    },
    async remove() {
      await stopProcess(mark, 'SIGKILL');
      await folder.remove();
    },
  };
}

/** The addresses that a server answers for the record. */
export async function lookUp(server: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: 1_000, tries: 1 });
  resolver.setServers([server]);
  return resolver.resolve4(RECORD);
}

function zoneFile(): string {
  return [
    `$ORIGIN ${ZONE}.`,
    // Refreshed every second, as far as the secondary has not been notified.
    `@ 60 IN SOA ns.${ZONE}. hostmaster.${ZONE}. 1 1 1 86400 1`,
    `@ 60 IN NS ns.${ZONE}.`,
    'ns 60 IN A 127.0.0.1',
    'alias 60 IN CNAME ns',
    `ledger-db 2 IN A ${OLD}`,
    '',
  ].join('\n');
}

function corefile(
  { primary, secondary, resolver }: { primary: number; secondary: number; resolver: number },
  zone: string,
  secret: string,
): string {
  return `
${ZONE}:${primary} {
  bind 127.0.0.1
  tsig {
    secret ${KEY}. ${secret}
    require_opcode UPDATE
  }
  transfer {
    to 127.0.0.1:${secondary}
  }
  dynupdate {
    file ${zone}
    allow ${KEY}. ${RECORD}. A CNAME
  }
  errors
}
${ZONE}:${secondary} {
  bind 127.0.0.1
  secondary {
    transfer from 127.0.0.1:${primary}
  }
  errors
}
.:${resolver} {
  bind 127.0.0.1
  cache 2
  forward . 127.0.0.1:${primary}
  errors
}
`;
}
