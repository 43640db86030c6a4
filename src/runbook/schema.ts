/**
 * The runbook format: one YAML file a protected system. This schema is the only definition of it: the loader, the JSON
 * Schema for editors and the types of the whole engine come from here.
 */
import { z } from 'zod';
import { noticeKinds } from '../model/notice.js';
import { archiveBackup } from './archive.js';
import { bucketFields } from './bucket.js';
import {
  absolutePath,
  dnsName,
  duration,
  endpoint,
  failureDomain,
  hostAndPort,
  httpPath,
  identifier,
  name,
  port,
  publicKey,
  seconds,
  secretRef,
  tableName,
  text,
} from './fields.js';
import { owner } from './owner.js';

export type { ArchiveBackup, ArchiveCopy } from './archive.js';
export { duration, secretRef } from './fields.js';

const person = z.strictObject({
  name: text.describe('What decisions are given under (`--by`)'),
  roles: z.array(name).min(1).describe('Gates ask for these'),
  contacts: z.array(text).default([]).describe('How the person is reached, first choice first'),
  proofs: z
    .strictObject({
      totp: secretRef
        .optional()
        .describe("The authenticator's secret in Base32, by reference: RFC 6238, SHA-1, 6 digits, 30 s"),
      keys: z
        .array(publicKey)
        .default([])
        .describe('Public keys: a line of OpenSSH (`ssh-ed25519 AAAA...`) or an Ed25519 key in PEM'),
    })
    .optional()
    .describe('How the person proves who they are. Left out: their word counts without a proof'),
});

const component = z.strictObject({
  rto: duration.describe('How long this part may be away'),
  dependsOn: z.array(name).default([]).describe('Components without which this one does not work'),
  note: text.optional(),
});

/** Where acknowledgements outside the database can be read, to count what a recovery lost. */
const acknowledged = z.strictObject({
  driver: z.literal('http-ndjson'),
  url: endpoint.describe('Answers ?since=ISO&until=ISO with one JSON object a line: {id, at, ...}'),
});

const dataClass = z.strictObject({
  rpo: duration.describe('How much of the newest data may be lost'),
  component: name.describe('The component that holds it'),
  table: tableName.describe('schema.table that is counted'),
  key: identifier.describe('Column that identifies a record'),
  time: identifier.describe('timestamptz column that says when the record was last written'),
  acknowledged: acknowledged
    .optional()
    .describe('A record outside the database of what was acknowledged to users'),
});

/** A PostgreSQL server at a site, and how its processes are reached. */
export const postgresSite = z.strictObject({
  host: text.describe('Name or address of the server itself, not the DNS record that applications use'),
  port,
  database: identifier,
  admin: z.strictObject({ user: identifier, password: secretRef }).describe('A superuser for Muster'),
  application: z
    .strictObject({ user: identifier, password: secretRef })
    .describe('The login of the application: what the fence must refuse.'),
  replication: z
    .strictObject({ user: identifier, password: secretRef })
    .optional()
    .describe('The login that a standby follows this server with (attribute REPLICATION)'),
  service: z.strictObject({
    driver: z.literal('pg-ctl').describe('Started and stopped with pg_ctl by a worker on the database host'),
    account: name.describe('Operating-system account that owns the cluster; never root'),
    dataDirectory: absolutePath,
    socketDirectory: absolutePath,
    logFile: absolutePath,
    binDirectory: absolutePath.optional().describe('Where pg_ctl is; found by itself when left out'),
  }),
  backupConfig: absolutePath.describe("pgBackRest's configuration file for this cluster (mode 0600)"),
});

const site = z.strictObject({
  role: z.enum(['primary', 'standby', 'recovery', 'sandbox']),
  region: text,
  failureDomain,
  postgres: postgresSite.optional(),
  quarantineDirectory: absolutePath
    .optional()
    .describe('Where a damaged cluster is kept until a person releases it'),
});

/** An S3-compatible bucket. */
export const bucket = z.strictObject(bucketFields);

const vault = bucket.extend({ failureDomain });

const repository = z.strictObject({
  number: z.number().int().min(1).max(256).describe('repoN in the pgBackRest configuration'),
  title: text,
  failureDomain,
  cipher: z.enum(['aes-256-cbc', 'none']).optional().describe("pgBackRest's repoN-cipher-type"),
});

export const pgbackrestBackup = z.strictObject({
  driver: z.literal('pgbackrest'),
  stanza: text,
  repositories: z.array(repository).min(1).describe('Every copy, preferred one first'),
  processes: z.number().int().min(1).max(64).describe('Parallel processes for restore and backup'),
  walArchivedWithin: duration
    .optional()
    .describe('When a commit is in the archive at the latest: archive_timeout plus the transfer'),
  schedule: z.array(text).default([]).describe('What the owner takes and when, in words'),
  retention: z.array(text).default([]).describe('What is kept how long, in words'),
});

/** What every DNS record has, whoever is its zone's authority. */
const recordFields = {
  name: text.describe('The name by which applications find the database'),
  type: z.enum(['A', 'AAAA', 'CNAME']),
  ttl: seconds.describe('Seconds, in normal operation'),
  recoveryTtl: seconds.describe('Seconds, during a recovery'),
  values: z.record(name, z.array(text).min(1)).describe('Site -> the values that lead there'),
  resolvers: z.array(hostAndPort).min(1).describe('Resolvers that must give the new answer'),
};

const route53Record = z.strictObject({
  driver: z.literal('route53'),
  zoneId: text,
  ...recordFields,
  routing: z
    .strictObject({
      policy: z.enum(['weighted', 'failover']),
      sets: z.record(name, text).describe('Site -> the identifier of its record set'),
      weight: z.number().int().min(1).max(255).default(100).describe('Weight of the set that leads'),
    })
    .optional()
    .describe(
      'Left out: one plain record. Else each site has a set of its own, and a cutover changes which one leads',
    ),
  endpoint: endpoint.optional().describe('Left out for Amazon Route 53'),
  region: text.default('us-east-1'),
  accessKeyId: secretRef.optional().describe('A reference. Left out: the default credential chain'),
  secretAccessKey: secretRef.optional(),
});

const rfc2136Record = z.strictObject({
  driver: z.literal('rfc2136').describe('A server that takes dynamic updates signed with TSIG'),
  zone: dnsName.describe('The zone that holds the name'),
  ...recordFields,
  server: hostAndPort.describe('The primary server of the zone: it is read and changed there'),
  secondaries: z
    .array(hostAndPort)
    .default([])
    .describe('Servers that copy the zone from it and must serve the change as well'),
  key: z
    .strictObject({
      name: dnsName,
      algorithm: z.enum(['hmac-sha256', 'hmac-sha384', 'hmac-sha512']).default('hmac-sha256'),
      secret: secretRef.describe('The shared key in Base64, by reference'),
    })
    .describe('Signs updates (TSIG)'),
});

const dnsRecord = z.discriminatedUnion('driver', [route53Record, rfc2136Record]);

const objectBucket = bucket.extend({ failureDomain });

const corsRule = z.strictObject({
  origins: z.array(text).min(1),
  methods: z.array(z.enum(['GET', 'PUT', 'POST', 'DELETE', 'HEAD'])).min(1),
  headers: z.array(text).default([]),
  expose: z.array(text).default([]),
  maxAge: seconds.optional().describe('Seconds that a browser may keep the answer'),
});

/** Files in an object store, and the copy that they come back from. */
export const objectStore = z.strictObject({
  driver: z.literal('s3'),
  title: text,
  component: name.describe('The component that the files belong to'),
  primary: objectBucket.describe('The bucket that applications use; its versions bring deleted files back'),
  secondary: objectBucket.optional().describe('The bucket that a lost one is filled from again'),
  parallel: z.number().int().min(1).max(64).default(8).describe('Objects copied at once'),
  cors: z.array(corsRule).default([]).describe('What a new bucket allows to pages of other origins'),
  policy: text
    .refine(isJsonObject, 'a bucket policy as JSON')
    .optional()
    .describe('The bucket policy of a new bucket, as JSON'),
  references: z
    .strictObject({
      table: tableName,
      key: identifier.describe("Column that holds the object's key; rows without one are left out"),
      bytes: identifier.optional().describe('Column with the size of the file'),
      sha256: identifier
        .optional()
        .describe('Column with the SHA-256 of the content, in hexadecimal: every file is read for it'),
    })
    .optional()
    .describe('The rows that name the files: both are reconciled after a recovery'),
});

/** A query that returns the rows which break the rule: none means that it holds. */
export const invariant = z.strictObject({
  name,
  title: text.describe('The rule, as a sentence that is true when it holds'),
  sql: text.describe('One query that returns the rows which break the rule'),
  parameters: z.array(secretRef).default([]).describe('Secrets for $1, $2 ... of the query, by reference'),
  timeout: duration.prefault('10 min'),
});

const jsonFields = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));

const httpExchange = z.strictObject({
  title: text,
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  path: httpPath.describe('The text {{uuid}} becomes one new UUID for the whole conversation'),
  body: jsonFields
    .optional()
    .describe('JSON body; the text {{uuid}} becomes one new UUID for the whole conversation'),
  expectStatus: z.number().int().min(100).max(599),
  expectBody: jsonFields.optional().describe('Fields that the answer must hold with these values'),
});

const businessFunction = z.strictObject({
  name,
  title: text,
  readOnly: z.boolean().describe('Whether it can be tried against a copy that takes no writes'),
  exchanges: z.array(httpExchange).min(1).describe('One conversation, in order'),
});

const environment = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'), z.string())
  .default({})
  .describe('Beside PATH, LANG and HOME. Secrets by reference');

/** A program of the owner's: see docs/provisioning.md for what it is told and what it answers. */
const commandFields = {
  driver: z.literal('command'),
  command: z.array(text).min(1).describe('Program and arguments; no secrets'),
  directory: absolutePath.default('/').describe('Where it is started'),
  environment,
  timeout: duration.prefault('30 min'),
};

/** What has to be made before a system can run at another site. */
const infrastructure = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('terraform'),
    title: text,
    directory: absolutePath.describe('The root module'),
    program: text.default('terraform').describe('`terraform`, `tofu`, or a path to either'),
    variables: z.record(identifier, z.union([z.string(), z.number(), z.boolean()])).default({}),
    secretVariables: z.record(identifier, secretRef).default({}),
    environment,
    destroys: z
      .enum(['refused', 'shown'])
      .default('refused')
      .describe('What becomes of a plan that deletes or replaces something'),
    timeout: duration.prefault('60 min'),
  }),
  z.strictObject({
    title: text,
    ...commandFields,
    check: z
      .array(text)
      .min(1)
      .optional()
      .describe('Program and arguments that look whether it could be done, and change nothing'),
  }),
]);

const application = z.strictObject({
  component: name,
  url: endpoint.describe('Where the production application answers'),
  healthPath: httpPath,
  trial: z
    .strictObject({
      command: z.array(text).min(1),
      environment: z.record(z.string(), z.string()).default({}).describe('Secrets by reference'),
    })
    .optional()
    .describe(
      'Starts the application against a recovered copy, read-only. It gets MUSTER_PORT (where to listen on loopback), MUSTER_DATABASE_HOST and MUSTER_DATABASE_PORT.',
    ),
  deploy: z
    .strictObject(commandFields)
    .optional()
    .describe('Puts a release of the application into service at a site'),
  functions: z.array(businessFunction).default([]).describe('What the business cannot do without'),
});

const gate = z.strictObject({
  roles: z.array(name).min(1).describe('Who may decide: people with one of these roles'),
  approvals: z.number().int().min(1).max(20).default(1).describe('How many different people must approve'),
  from: z
    .enum(['any', 'each'])
    .default('any')
    .describe('`any`: anybody with one of the roles counts; `each`: every role gives one person at least'),
  requester: z
    .enum(['counts', 'does-not-count'])
    .default('counts')
    .describe('Whether the person who began the run may approve'),
  secondFactor: z
    .enum(['none', 'totp'])
    .default('none')
    .describe('`totp`: a code of the authenticator, beside a signature where the person has a key'),
  expires: duration.describe('How long it waits before `atExpiry` happens'),
  atExpiry: z
    .enum(['remind', 'escalate', 'deny', 'proceed'])
    .describe('`proceed` is refused for a promotion'),
  escalateTo: z.array(name).default([]).describe('Roles that may decide as well once it has escalated'),
});

const corruption = z.strictObject({
  component: name.describe('The component whose RTO is the target of the run'),
  restores: z
    .array(name)
    .min(1)
    .describe('Every component that is back when the run has validated the service'),
  damaged: name.describe('Site of the damaged primary'),
  target: name.describe('Site that the recovered copy is built at'),
  otherTargets: z
    .array(name)
    .default([])
    .describe('Sites that a person may choose instead, while nothing is promoted'),
  backup: name.describe('One of `backups`'),
  record: name.describe('One of `dns`: the record that leads applications to the database'),
  application: name.describe('One of `applications`: what is tried on the copy and validated at the end'),
  gates: z.strictObject({
    point: gate.describe('Before the primary is fenced'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets: z
    .record(name, duration)
    .default({})
    .describe('Step -> budget, where it differs from the scenario'),
});

const infrastructureFailure = z.strictObject({
  component: name.describe('The component whose RTO is the target of the run'),
  restores: z
    .array(name)
    .min(1)
    .describe('Every component that is back when the run has validated the service'),
  lost: name.describe('Site of the primary whose server is gone'),
  target: name.describe('Site that the new primary is built at'),
  otherTargets: z
    .array(name)
    .default([])
    .describe('Sites that a person may choose instead, while nothing is promoted'),
  backup: name.describe('One of `backups`: the newest one and all WAL that was archived are restored'),
  record: name.describe('One of `dns`: the record that leads applications to the database'),
  application: name.describe(
    'One of `applications`: tried on the copy, brought up, and validated at the end',
  ),
  gates: z.strictObject({
    point: gate.describe('Before the lost primary is fenced'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets: z
    .record(name, duration)
    .default({})
    .describe('Step -> budget, where it differs from the scenario'),
});

const azLoss = z.strictObject({
  component: name.describe('The component whose RTO is the target of the run'),
  restores: z
    .array(name)
    .min(1)
    .describe('Every component that is back when the run has validated the service'),
  lost: name.describe('Site of the primary whose zone is lost'),
  standby: name.describe('Site of the streaming standby in another zone: it takes over'),
  newStandby: z
    .strictObject({
      site: name.describe('A free site: neither the lost one nor that of the standby'),
      slot: identifier.describe('Replication slot on the new primary'),
    })
    .optional()
    .describe('Where the new primary gets a standby of its own. Left out: none is built'),
  backup: name.describe('One of `backups`: the archive that the standby catches up from'),
  record: name.describe('One of `dns`: the record that leads applications to the database'),
  application: name.describe(
    'One of `applications`: tried on the standby, brought up, and validated at the end',
  ),
  gates: z.strictObject({
    failover: gate.describe('Before the primary is fenced and the standby cut off from it'),
    promote: gate.describe('Before the point of no return'),
  }),
  budgets: z
    .record(name, duration)
    .default({})
    .describe('Step -> budget, where it differs from the scenario'),
});

/** Who may open a gate with fewer people than it demands, or go on without the proof of a fence. */
const breakGlass = z.strictObject({
  roles: z.array(name).min(1),
  people: z.number().int().min(1).max(20).default(1).describe('How many different people have to say so'),
});

const events = z.array(z.enum(noticeKinds)).min(1).optional().describe('Only these; left out: all of them');

/** A place that is told what happens. Addresses that hold a token are secrets: they are given by reference. */
export const channel = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z.literal('slack'),
    url: secretRef.describe('Incoming webhook of Slack, or of what understands the same'),
    events,
  }),
  z.strictObject({
    driver: z.literal('webhook'),
    url: endpoint,
    secret: secretRef.describe('Signs each request with HMAC-SHA256 (Standard Webhooks)'),
    caFile: absolutePath.optional(),
    events,
  }),
  z.strictObject({
    driver: z.literal('smtp'),
    host: text,
    port,
    security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
    from: text,
    to: z.array(text).default([]).describe('Besides the `mailto:` contacts of whom a notice is for'),
    user: text.optional(),
    password: secretRef.optional(),
    caFile: absolutePath.optional(),
    events,
  }),
  z.strictObject({
    driver: z.literal('pagerduty'),
    routingKey: secretRef,
    endpoint: endpoint.default('https://events.pagerduty.com/v2/enqueue'),
    events,
  }),
]);

const anchor = bucket.extend({
  failureDomain,
  lockFor: duration.describe(
    'How long an anchor can neither be changed nor deleted (object lock, compliance mode)',
  ),
});

function isJsonObject(given: string): boolean {
  try {
    const value: unknown = JSON.parse(given);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

export const runbookSchema = z.strictObject({
  system: name.describe('Also the name of this file'),
  title: text,
  description: text.optional(),
  tier: z.number().int().min(1).max(9).describe('1 is recovered first'),
  people: z.array(person).min(1).describe('The roster: who decides, by role'),
  objectives: z.strictObject({
    components: z.record(name, component),
    dataClasses: z.record(name, dataClass),
  }),
  sites: z.record(name, site).describe('Places where the system can run'),
  backups: z.record(name, z.discriminatedUnion('driver', [pgbackrestBackup, archiveBackup])),
  dns: z.record(name, dnsRecord),
  objects: z.record(name, objectStore).default({}).describe('Files in object stores'),
  infrastructure: z
    .record(name, infrastructure)
    .default({})
    .describe('What is made before the system can run at another site'),
  applications: z.record(name, application),
  vault: vault.describe("Muster's promotion and fencing tokens; never in the failure domain of the primary"),
  anchor: anchor
    .optional()
    .describe(
      'Bucket with object lock, at another site, where the journal is anchored and kept a second time',
    ),
  breakGlass: breakGlass.optional().describe('Left out: nobody can override'),
  notifications: z.record(name, channel).default({}).describe('Who is told what happens, by channel'),
  verification: z.strictObject({
    invariants: z.array(invariant).min(1),
    jobs: z.number().int().min(1).max(64).default(2).describe('Parallel jobs of pg_amcheck and pg_dump'),
  }),
  scenarios: z.strictObject({
    corruption: corruption.optional().describe('The newest data is bad: back to the newest good moment'),
    azLoss: azLoss.optional().describe('The zone of the primary is lost: its standby takes over'),
    infrastructureFailure: infrastructureFailure
      .optional()
      .describe('The server of the primary is gone: newest backup and all archived WAL, on another one'),
  }),
  owner: owner.optional().describe("The owner's demands that are not machine-checked, in words"),
});

/** A runbook as it is held after loading: durations in milliseconds, defaults filled in, secrets still references. */
export type Runbook = z.output<typeof runbookSchema>;
export type Site = Runbook['sites'][string];
export type PostgresSite = z.output<typeof postgresSite>;
export type PgbackrestBackup = z.output<typeof pgbackrestBackup>;
export type DnsRecord = z.output<typeof dnsRecord>;
export type Route53Record = z.output<typeof route53Record>;
export type Rfc2136Record = z.output<typeof rfc2136Record>;
export type Infrastructure = z.output<typeof infrastructure>;
export type Terraform = Extract<Infrastructure, { driver: 'terraform' }>;
export type OwnersCommand = NonNullable<z.output<typeof application>['deploy']>;
export type ObjectStore = z.output<typeof objectStore>;
export type Bucket = z.output<typeof bucket>;
export type Invariant = z.output<typeof invariant>;
export type Person = z.output<typeof person>;
export type Channel = z.output<typeof channel>;
export type Anchor = z.output<typeof anchor>;
export type DataClass = z.output<typeof dataClass>;
export type Component = z.output<typeof component>;
export type Application = z.output<typeof application>;
export type BusinessFunction = z.output<typeof businessFunction>;
export type GatePolicy = z.output<typeof gate>;
export type CorruptionSection = z.output<typeof corruption>;
export type AzLossSection = z.output<typeof azLoss>;
export type InfrastructureFailureSection = z.output<typeof infrastructureFailure>;
