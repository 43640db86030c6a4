/**
 * The runbook format: one YAML file a protected system. This schema is the only definition of it: the loader, the JSON
 * Schema for editors and the types of the whole engine come from here. Its parts stand in `sections`.
 */
import { z } from 'zod';
import { archiveBackup } from './archive.js';
import { name, text } from './fields.js';
import { owner } from './owner.js';
import { application, type businessFunction } from './sections/applications.js';
import { anchor, type bucket, vault } from './sections/buckets.js';
import { channel } from './sections/channels.js';
import { dnsRecord, type rfc2136Record, type route53Record } from './sections/dns.js';
import type { gate } from './sections/gates.js';
import { infrastructure } from './sections/infrastructure.js';
import { component, dataClass } from './sections/objectives.js';
import { objectStore } from './sections/objects.js';
import { breakGlass, person } from './sections/people.js';
import { pgbackrestBackup } from './sections/pgbackrest.js';
import { scenarios } from './sections/scenarios/index.js';
import { type postgresSite, site } from './sections/sites.js';
import { updates } from './sections/updates.js';
import { invariant } from './sections/verification.js';

export type { ArchiveBackup, ArchiveCopy } from './archive.js';
export { duration, secretRef } from './fields.js';
export type { AzLossSection } from './sections/scenarios/azLoss.js';
export type { BackupLossSection } from './sections/scenarios/backupLoss.js';
export type { BadDeploymentSection } from './sections/scenarios/badDeployment.js';
export type { BreachSection } from './sections/scenarios/breach.js';
export type { ChosenTable, CorruptedTablesSection } from './sections/scenarios/corruptedTables.js';
export type { CorruptionSection } from './sections/scenarios/corruption.js';
export type { FailbackSection } from './sections/scenarios/failback.js';
export type { InfrastructureFailureSection } from './sections/scenarios/infrastructureFailure.js';
export type { ObjectLossSection } from './sections/scenarios/objectLoss.js';
export type { ProviderOutageSection } from './sections/scenarios/providerOutage.js';
export type { RegionalLossSection } from './sections/scenarios/regionalLoss.js';
export type { SalvageSection, SalvageTable } from './sections/scenarios/salvage.js';

export const runbookSchema = z.strictObject({
  system: name.describe('Also the name of this file'),
  title: text,
  description: text.optional(),
  tier: z.number().int().min(1).max(9).describe('1 is recovered first'),
  dependsOn: z
    .array(name)
    .default([])
    .describe('Systems that are recovered before this one, where several are recovered at once'),
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
  updates: updates.optional().describe('Updates for people outside; left out: nobody is reminded of them'),
  verification: z.strictObject({
    invariants: z.array(invariant).min(1),
    jobs: z.number().int().min(1).max(64).default(2).describe('Parallel jobs of pg_amcheck and pg_dump'),
  }),
  scenarios,
  owner: owner.optional().describe("The owner's demands that are not machine-checked, in words"),
});

/** A runbook as it is held after loading: durations in milliseconds, defaults filled in, secrets still references. */
export type Runbook = z.output<typeof runbookSchema>;
export type Site = Runbook['sites'][string];
export type PostgresSite = z.output<typeof postgresSite>;
/** One way of keeping copies; its driver tells which. */
export type Backup = Runbook['backups'][string];
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
export type UpdatePlan = z.output<typeof updates>;
export type GatePolicy = z.output<typeof gate>;
