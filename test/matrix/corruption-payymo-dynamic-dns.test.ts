/** The whole recovery with a record that is changed by signed dynamic updates (RFC 2136) instead of Route 53's API. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { RecordChange } from '../../activities/contract.js';
import { openRfc2136 } from '../../activities/dns/rfc2136.js';
import { findPrograms } from '../../lab/parts/lookup.js';
import { type PartSpec, startPart, untilAnswers } from '../../lab/parts/part.js';
import { type ProcessMark, stopProcess } from '../../lab/process.js';
import { lookUp } from '../drivers/support/dynamic-zone.js';
import { gateOpens, runEnds, SYSTEM, useIncident } from '../support/incident.js';
import { useLab } from '../support/lab.js';

const lab = useLab({ worker: 'when-built' });
const incident = useIncident(lab);
let server: ProcessMark | undefined;

beforeAll(async () => {
  await serveDynamically();
  await describeInRunbook();
}, 60_000);
afterAll(async () => {
  if (server !== undefined) await stopProcess(server, 'SIGKILL');
});

const path = (name: string) => join(lab.dir, `dynamic-${name}`);
const KEY = 'muster.payymo.internal';

/** In place of the lab's DNS server, at its address. */
async function serveDynamically(): Promise<void> {
  const { dns, ledger, parts } = lab.state;
  const [host = '', port = ''] = dns.resolver.split(':');
  const secret = randomBytes(32).toString('base64');
  await writeFile(path('key'), secret, { mode: 0o600 });
  await writeFile(
    path('zone'),
    `$ORIGIN ${dns.zone}.
@ 60 IN SOA ns.${dns.zone}. hostmaster.${dns.zone}. 1 60 60 86400 1
@ 60 IN NS ns.${dns.zone}.
ns 60 IN A ${host}
${dns.record}. ${dns.ttl} IN A ${ledger.sites.west.address}
`,
  );
  await writeFile(
    path('Corefile'),
    `${dns.zone}:${port} {
  bind ${host}
  tsig {
    secret ${KEY}. ${secret}
    require_opcode UPDATE
  }
  dynupdate {
    file ${path('zone')}
    allow ${KEY}. ${dns.record}. A
  }
  errors
}
`,
    { mode: 0o600 },
  );
  const part: PartSpec = {
    name: 'dns',
    command: findPrograms().coredns,
    args: ['-conf', path('Corefile')],
    env: {},
    cwd: lab.dir,
    address: dns.resolver,
    logFile: path('log'),
    stopSignal: 'SIGKILL',
    deadlineMs: 20_000,
    answers: async () => {
      await lookUp(dns.resolver);
    },
  };
  if (parts.dns !== undefined) await stopProcess(parts.dns, 'SIGKILL');
  server = await startPart(part);
  await untilAnswers(part, server);
}

async function describeInRunbook(): Promise<void> {
  const { dns, runbooks } = lab.state;
  const file = join(runbooks, `${SYSTEM}.yaml`);
  const document = parseDocument(await readFile(file, 'utf8'));
  const of = ['dns', 'ledger'];
  for (const field of ['zoneId', 'endpoint', 'accessKeyId', 'secretAccessKey']) {
    document.deleteIn([...of, field]);
  }
  document.setIn([...of, 'driver'], 'rfc2136');
  document.setIn([...of, 'zone'], dns.zone);
  document.setIn([...of, 'server'], dns.resolver);
  document.setIn([...of, 'key'], { name: KEY, secret: `file:${path('key')}` });
  await writeFile(file, document.toString());
}

it('leads the record and the application to the recovered copy', async () => {
  const { sites } = lab.state.ledger;
  const damage = await incident.happen();
  await incident.begin(damage.startedAt);
  await incident.until(gateOpens('point'), 'the gate of the point opens');
  await incident.approve('point');
  await incident.until(gateOpens('promote'), 'the gate of the promotion opens');
  await incident.approve('promote');
  await incident.until(runEnds, 'the run ends');
  const result = await incident.result();
  expect(result.view.status).toBe('recovered');
  expect(result.outputs.cutover as RecordChange).toMatchObject({
    before: [sites.west.address],
    after: [sites.recovery.address],
    changeId: expect.stringMatching(/^update \d+$/),
  });
  const { ledger: record } = (await incident.runbook()).dns;
  if (record?.driver !== 'rfc2136') throw new Error('the runbook is not the one of this test');
  const driver = await openRfc2136(record, new AbortController().signal);
  expect(await driver.read()).toEqual({ values: [sites.recovery.address], ttl: record.ttl });
  expect(await lookUp(lab.state.dns.resolver)).toEqual([sites.recovery.address]);
}, 240_000);
