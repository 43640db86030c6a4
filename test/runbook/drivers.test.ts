import { findingsOf } from '../../src/runbook/findings.js';
import { readRunbook } from '../../src/runbook/load.js';
import { corruptionScenario } from '../../workflows/corruption.js';
import { type Case, good, problemsOf, testCases } from './cases.js';

const ROUTE53 = `    driver: route53
    zoneId: Z0PAYYMOINTERNAL
`;
const RFC2136 = `    driver: rfc2136
    zone: payymo.internal
    server: 10.20.0.53:53
    key:
      name: muster.payymo.internal
      secret: file:/etc/muster/secrets/dns-key
`;
const dynamic = [[ROUTE53, RFC2136]] as const;

const cases: readonly Case[] = [
  {
    what: 'a driver that does not exist',
    from: 'driver: route53',
    to: 'driver: cloudflare',
    field: 'dns.ledger.driver',
    given: '"cloudflare"',
    allowed: 'route53, rfc2136',
  },
  {
    what: 'a field of another driver',
    from: 'zoneId: Z0PAYYMOINTERNAL',
    to: 'zoneId: Z0PAYYMOINTERNAL\n    server: 10.20.0.53:53',
    field: 'dns.ledger.server',
    given: 'the unknown field "server"',
    allowed: /^driver, zoneId, name, type, ttl, recoveryTtl, values, resolvers, routing, endpoint/,
    at: 'server: 10.20.0.53',
  },
  {
    what: 'a field that this driver needs',
    before: dynamic,
    from: '    server: 10.20.0.53:53\n',
    to: '',
    field: 'dns.ledger.server',
    given: 'nothing',
    allowed: 'host:port (The primary server of the zone: it is read and changed there)',
    at: 'ledger:\n    driver: rfc2136',
  },
  {
    what: 'a key in place of its reference',
    before: dynamic,
    from: 'secret: file:/etc/muster/secrets/dns-key',
    to: 'secret: hunter2',
    field: 'dns.ledger.key.secret',
    given: '7 characters, not shown: they may be a secret',
    allowed: /^a reference to a secret/,
  },
  {
    what: 'a site without a set of its own',
    from: '    zoneId: Z0PAYYMOINTERNAL\n',
    to: '    zoneId: Z0PAYYMOINTERNAL\n    routing: { policy: weighted, sets: { west: one } }\n',
    field: 'dns.ledger.routing.sets',
    allowed: /^a set for each site of values, (\w+, )*east too$/,
    at: 'routing:',
  },
  {
    what: 'two sites with one set',
    from: '    zoneId: Z0PAYYMOINTERNAL\n',
    to: '    zoneId: Z0PAYYMOINTERNAL\n    routing: { policy: failover, sets: { west: one, recovery: one } }\n',
    field: 'dns.ledger.routing.sets.recovery',
    allowed: 'a set that no other one has',
    at: 'routing:',
  },
  {
    what: 'a name outside of its zone',
    before: dynamic,
    from: 'zone: payymo.internal',
    to: 'zone: payymo.example',
    field: 'dns.ledger.name',
    allowed: 'a DNS name in the zone payymo.example',
    at: 'name: ledger-db.payymo.internal',
  },
];

const DOCUMENTS = `  documents:
    driver: s3
    title: Client documents
    component: file-storage
    primary: { region: us-west-2, failureDomain: us-west-2, bucket: payymo-documents }
    secondary: { region: us-east-1, failureDomain: us-east-1, bucket: payymo-documents-copy }
    references: { table: public.documents, key: storage_key }
    policy: '{"Version": "2012-10-17", "Statement": []}'
`;
const stored = [['\nobjects:\n', `\nobjects:\n${DOCUMENTS}`]] as const;

const objects: readonly Case[] = [
  {
    what: 'a secondary bucket that is lost with the primary one',
    before: stored,
    from: 'secondary: { region: us-east-1, failureDomain: us-east-1',
    to: 'secondary: { region: us-west-2, failureDomain: us-west-2/us-west-2a',
    field: 'objects.documents.secondary.failureDomain',
    allowed: /outside of us-west-2/,
  },
  {
    what: 'a secondary bucket that is the primary one',
    before: stored,
    from: 'secondary: { region: us-east-1, failureDomain: us-east-1, bucket: payymo-documents-copy }',
    to: 'secondary: { region: us-west-2, failureDomain: us-east-1, bucket: payymo-documents }',
    field: 'objects.documents.secondary.bucket',
    allowed: 'another bucket than the primary one',
  },
  {
    what: 'files of a component that there is not',
    before: stored,
    from: 'component: file-storage\n    primary',
    to: 'component: files\n    primary',
    field: 'objects.documents.component',
    allowed: /file-storage/,
  },
  {
    what: 'a policy that is no JSON',
    before: stored,
    from: `policy: '{"Version"`,
    to: `policy: '{Version`,
    field: 'objects.documents.policy',
    allowed: /a bucket policy as JSON/,
  },
];

const NORTH = `infrastructure:
  north:
    driver: terraform
    title: servers in the north
    directory: /srv/recovery/north
    secretVariables: { token: 'env:PROVIDER_TOKEN' }

`;
const made = [['applications:\n', `${NORTH}applications:\n`]] as const;

const infrastructure: readonly Case[] = [
  {
    what: 'a relative directory',
    before: made,
    from: 'directory: /srv/recovery/north',
    to: 'directory: recovery/north',
    field: 'infrastructure.north.directory',
    allowed: /an absolute path/,
  },
  {
    what: 'a secret in place of its reference',
    before: made,
    from: "token: 'env:PROVIDER_TOKEN'",
    to: 'token: hunter2',
    field: 'infrastructure.north.secretVariables.token',
    allowed: /^a reference to a secret/,
    at: 'secretVariables: { token: hunter2',
  },
  {
    what: 'a command as one text',
    before: made,
    from: "driver: terraform\n    title: servers in the north\n    directory: /srv/recovery/north\n    secretVariables: { token: 'env:PROVIDER_TOKEN' }",
    to: 'driver: command\n    title: servers in the north\n    command: make servers',
    field: 'infrastructure.north.command',
    given: '"make servers"',
    allowed: /^a list/,
    at: 'command: make servers',
  },
];

testCases(cases);
testCases(objects);
testCases(infrastructure);

test('infrastructure and deployment are described, with what is left out filled in', () => {
  const text = good.replace('applications:\n', `${NORTH}applications:\n`);
  expect(problemsOf(text)).toEqual([]);
  const { runbook } = readRunbook('payymo.yaml', text);
  expect(runbook.infrastructure.north).toMatchObject({
    program: 'terraform',
    destroys: 'refused',
    timeout: 3_600_000,
  });
  expect(runbook.applications['core-api']?.deploy).toMatchObject({
    directory: '/',
    environment: {},
    timeout: 1_800_000,
  });
});

test('files in an object store are described beside the database', () => {
  const text = good.replace('\nobjects:\n', `\nobjects:\n${DOCUMENTS}`);
  expect(problemsOf(text)).toEqual([]);
  expect(readRunbook('payymo.yaml', text).runbook.objects.documents).toMatchObject({ parallel: 8, cors: [] });
  expect(Object.keys(readRunbook('payymo.yaml', good).runbook.objects)).toEqual(['statements']);
  const alone = readRunbook('payymo.yaml', text.replace(/^ {4}secondary: .*\n/m, ''));
  expect(findingsOf(alone.runbook, alone.source)).toContainEqual(
    expect.objectContaining({
      severity: 'warning',
      field: 'objects.documents',
      what: 'Client documents are in bucket payymo-documents only: when it is lost, so are they.',
    }),
  );
});

test('a record by dynamic updates makes a plan whose printed commands are those of its driver', () => {
  const text = good.replace(ROUTE53, RFC2136);
  expect(problemsOf(text)).toEqual([]);
  const { runbook } = readRunbook('payymo.yaml', text);
  const { document } = corruptionScenario.buildPlan(runbook);
  const printed = JSON.stringify(document.steps.find(({ name }) => name === 'cutover'));
  expect(printed).toContain('prereq yxrrset ledger-db.payymo.internal. IN A 10.20.1.15');
  expect(printed).not.toContain('route53');
});
