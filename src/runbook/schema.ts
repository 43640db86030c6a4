/**
 * The runbook format: one YAML file a protected system. This schema is the only definition of it: the loader, the JSON
 * Schema for editors and the types of the whole engine come from here.
 */
import ms, { type StringValue } from 'ms';
import { z } from 'zod';

/** A duration as people write it (`6 h`, `5 min`, `30 s`), held in milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(\.\d+)? ?(ms|s|min|h|d)$/, 'a duration such as "30 s", "5 min", "6 h" or "30 d"')
  .transform((text) => ms(text.replace(/\s*min$/, ' minutes') as StringValue))
  .describe('A duration: a number and one of ms, s, min, h, d, for instance "5 min".');

const name = z.string().regex(/^[a-z][a-z0-9-]*$/, 'kebab-case: lower-case letters, digits and dashes');
const port = z.number().int().min(1).max(65535);
const absolutePath = z.string().regex(/^\//, 'an absolute path');
const endpoint = z.string().regex(/^https?:\/\//, 'a URL that begins with http:// or https://');
const hostAndPort = z.string().regex(/^[^\s:]+:\d+$/, 'host:port');

/** A secret is never written into a runbook: it is named, and read where it is used. */
export const secretRef = z
  .string()
  .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:\/.+)$/, 'a reference: env:NAME or file:/absolute/path')
  .describe('A reference to a secret: env:NAME or file:/absolute/path. Never the secret itself.');

const identifier = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'an SQL identifier');
const tableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*\.[A-Za-z_][A-Za-z0-9_]*$/, 'schema.table');

const person = z.strictObject({
  name: z.string().min(1),
  roles: z.array(name).min(1),
  contacts: z.array(z.string()).default([]),
});

const component = z.strictObject({
  rto: duration,
  dependsOn: z.array(name).default([]),
  note: z.string().optional(),
});

/** Where acknowledgements outside the database can be read, to count what a recovery lost. */
const acknowledged = z.strictObject({
  driver: z.literal('http-ndjson'),
  url: endpoint.describe('Answers ?since=ISO&until=ISO with one JSON object a line: {id, at, ...}'),
});

const dataClass = z.strictObject({
  rpo: duration,
  component: name,
  table: tableName,
  key: identifier.describe('Column that identifies a record'),
  time: identifier.describe('timestamptz column that says when the record was last written'),
  acknowledged: acknowledged.optional(),
});

/** A PostgreSQL server at a site, and how its processes are reached. */
export const postgresSite = z.strictObject({
  host: z.string().min(1),
  port,
  database: identifier,
  admin: z.strictObject({ user: identifier, password: secretRef }),
  application: z
    .strictObject({ user: identifier, password: secretRef })
    .describe('The login of the application: what the fence must refuse.'),
  service: z.strictObject({
    driver: z.literal('pg-ctl').describe('Started and stopped with pg_ctl by a worker on the database host'),
    account: name.describe('Operating-system account that owns the cluster'),
    dataDirectory: absolutePath,
    socketDirectory: absolutePath,
    logFile: absolutePath,
    binDirectory: absolutePath.optional().describe('Where pg_ctl is; found by itself when left out'),
  }),
  backupConfig: absolutePath.describe("pgBackRest's configuration file for this cluster (mode 0600)"),
});

const site = z.strictObject({
  role: z.enum(['primary', 'standby', 'recovery', 'sandbox']),
  region: z.string().min(1),
  failureDomain: z.string().min(1).describe('What fails together with this site: building, zone, account'),
  postgres: postgresSite.optional(),
  quarantineDirectory: absolutePath
    .optional()
    .describe('Where a damaged cluster is kept until a person releases it'),
});

/** An S3-compatible bucket. */
export const bucket = z.strictObject({
  endpoint: endpoint.optional().describe('Left out for Amazon S3'),
  region: z.string().min(1),
  bucket: z.string().min(3),
  pathStyle: z.boolean().default(false),
  caFile: absolutePath.optional(),
  accessKeyId: secretRef.optional().describe('Left out: the default credential chain'),
  secretAccessKey: secretRef.optional(),
});

const repository = z.strictObject({
  number: z.number().int().min(1).max(256).describe('repoN in the pgBackRest configuration'),
  title: z.string().min(1),
  failureDomain: z.string().min(1),
});

export const pgbackrestBackup = z.strictObject({
  driver: z.literal('pgbackrest'),
  stanza: z.string().min(1),
  repositories: z.array(repository).min(1),
  processes: z.number().int().min(1).max(64).describe('Parallel processes for restore and backup'),
  schedule: z.array(z.string()).default([]).describe('What the owner takes and when, in words'),
  retention: z.array(z.string()).default([]).describe('What is kept how long, in words'),
});

const route53Record = z.strictObject({
  driver: z.literal('route53'),
  zoneId: z.string().min(1),
  name: z.string().min(1),
  type: z.enum(['A', 'AAAA', 'CNAME']),
  ttl: z.number().int().min(1).max(86400).describe('Seconds, in normal operation'),
  recoveryTtl: z.number().int().min(1).max(86400).describe('Seconds, during a recovery'),
  values: z.record(name, z.array(z.string()).min(1)).describe('Site -> the values that lead there'),
  resolvers: z.array(hostAndPort).min(1).describe('Resolvers that must give the new answer'),
  endpoint: endpoint.optional().describe('Left out for Amazon Route 53'),
  region: z.string().default('us-east-1'),
  accessKeyId: secretRef.optional(),
  secretAccessKey: secretRef.optional(),
});

/** A query that returns the rows which break the rule: none means that it holds. */
export const invariant = z.strictObject({
  name,
  title: z.string().min(1),
  sql: z.string().min(1),
  parameters: z.array(secretRef).default([]).describe('Values for $1, $2 ... of the query'),
  timeout: duration.default(600_000),
});

const httpExchange = z.strictObject({
  title: z.string().min(1),
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']),
  path: z.string().regex(/^\//, 'a path that begins with /'),
  body: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('JSON body; the text {{uuid}} becomes one new UUID for the whole conversation'),
  expectStatus: z.number().int().min(100).max(599),
  expectBody: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('Fields that the answer must hold with these values'),
});

const businessFunction = z.strictObject({
  name,
  title: z.string().min(1),
  readOnly: z.boolean().describe('Whether it can be tried against a copy that takes no writes'),
  exchanges: z.array(httpExchange).min(1),
});

const application = z.strictObject({
  component: name,
  url: endpoint.describe('Where the production application answers'),
  healthPath: z.string().regex(/^\//, 'a path that begins with /'),
  trial: z
    .strictObject({
      command: z.array(z.string().min(1)).min(1),
      environment: z.record(z.string(), z.string()).default({}),
    })
    .optional()
    .describe(
      'Starts the application against a recovered copy, read-only. It gets MUSTER_PORT (where to listen on loopback), MUSTER_DATABASE_HOST and MUSTER_DATABASE_PORT.',
    ),
  functions: z.array(businessFunction).default([]),
});

const gate = z.strictObject({
  roles: z.array(name).min(1),
  expires: duration,
  atExpiry: z.enum(['remind', 'escalate', 'deny', 'proceed']),
});

const corruption = z.strictObject({
  component: name.describe('The component whose RTO is the target of the run'),
  restores: z
    .array(name)
    .min(1)
    .describe('Every component that is back when the run has validated the service'),
  damaged: name.describe('Site of the damaged primary'),
  target: name.describe('Site that the recovered copy is built at'),
  backup: name,
  record: name.describe('The DNS record that leads applications to the database'),
  application: name,
  gates: z.strictObject({ point: gate, promote: gate }),
  budgets: z
    .record(name, duration)
    .default({})
    .describe('Step -> budget, where it differs from the scenario'),
});

export const runbookSchema = z.strictObject({
  system: name,
  title: z.string().min(1),
  description: z.string().optional(),
  tier: z.number().int().min(1).max(9),
  people: z.array(person).min(1),
  objectives: z.strictObject({
    components: z.record(name, component),
    dataClasses: z.record(name, dataClass),
  }),
  sites: z.record(name, site),
  backups: z.record(name, pgbackrestBackup),
  dns: z.record(name, route53Record),
  applications: z.record(name, application),
  vault: bucket.describe("Muster's promotion and fencing tokens; never in the failure domain of the primary"),
  verification: z.strictObject({
    invariants: z.array(invariant).min(1),
    jobs: z.number().int().min(1).max(64).default(2),
  }),
  scenarios: z.strictObject({ corruption: corruption.optional() }),
});

/** A runbook as it is held after loading: durations in milliseconds, defaults filled in, secrets still references. */
export type Runbook = z.output<typeof runbookSchema>;
export type Site = Runbook['sites'][string];
export type PostgresSite = z.output<typeof postgresSite>;
export type PgbackrestBackup = z.output<typeof pgbackrestBackup>;
export type DnsRecord = z.output<typeof route53Record>;
export type Bucket = z.output<typeof bucket>;
export type Invariant = z.output<typeof invariant>;
export type DataClass = z.output<typeof dataClass>;
export type Component = z.output<typeof component>;
export type Application = z.output<typeof application>;
export type BusinessFunction = z.output<typeof businessFunction>;
export type GatePolicy = z.output<typeof gate>;
export type CorruptionSection = z.output<typeof corruption>;
