import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Document, isMap, isSeq, parseDocument, visit } from 'yaml';
import { projectRoot } from './built.js';
import { LabError } from './errors.js';
import { SITES, type SiteName } from './layout.js';
import { appEnvironment, deployCommand, trialCommand } from './parts/payymo.js';
import type { LabState, RegionState } from './state.js';

/** Payymo's runbook as its owner wrote it. */
export function ownerRunbook(): string {
  return join(projectRoot(), 'runbooks', 'payymo.yaml');
}

/** A place in the runbook and what stands there in the lab. */
type Replacement = readonly [path: readonly (string | number)[], value: unknown];

/**
 * Writes Payymo's runbook with the addresses, ports, paths and secret references of a lab. Everything else (objectives,
 * roles, gates, invariants, comments) stays as the owner wrote it.
 *
 * @param baseFile the owner's runbook, `runbooks/payymo.yaml`
 * @param outFile where the lab's copy goes
 * @throws LabError when the owner's file lacks an entry that the lab must replace: a copy that kept a production address
 * could do harm
 */
export async function writeLabRunbook(state: LabState, baseFile: string, outFile: string): Promise<void> {
  const document = parseDocument(await readFile(baseFile, 'utf8'));
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new LabError(
      `${baseFile} is not a runbook: ${document.errors[0]?.message ?? 'it holds no entries'}.`,
      'Run muster check.',
    );
  }
  for (const [path, value] of replacements(state)) replace(document, path, value, baseFile);
  replaceProofs(document, state, baseFile);
  replaceSecrets(document, state, baseFile);
  const schema = join(dirname(baseFile), 'runbook.schema.json');
  document.commentBefore = [
    ` yaml-language-server: $schema=${schema}`,
    '',
    ` Payymo's runbook with the addresses of the lab in ${state.dir}, written by muster lab up from`,
    ` ${baseFile}: change that one, not this one.`,
  ].join('\n');
  document.contents.commentBefore = null;
  await writeFile(outFile, document.toString({ lineWidth: 120, flowCollectionPadding: false }));
}

function replacements(state: LabState): Replacement[] {
  const { ledger, regions, dns, payymo } = state;
  const sites = SITES.flatMap((name) => siteReplacements(state, name));
  const application = ['applications', 'core-api'];
  const record = ['dns', 'ledger'];
  return [
    [
      ['objectives', 'dataClasses', 'transactions', 'acknowledged', 'url'],
      `${payymo.clientUrl}/acknowledged`,
    ],
    ...sites,
    [['sites', 'west', 'quarantineDirectory'], ledger.quarantineDir],
    [['sites', 'standby', 'quarantineDirectory'], ledger.quarantineDir],
    [['backups', 'ledger', 'stanza'], ledger.stanza],
    [['backups', 'ledger', 'processes'], 2],
    [[...record, 'zoneId'], dns.zoneId],
    [[...record, 'name'], dns.record],
    [[...record, 'ttl'], dns.ttl],
    ...SITES.map((name): Replacement => [[...record, 'values', name], [ledger.sites[name].address]]),
    [[...record, 'resolvers'], [dns.resolver]],
    [[...record, 'endpoint'], dns.route53Endpoint],
    [[...record, 'accessKeyId'], dns.accessKeyId],
    [[...record, 'secretAccessKey'], dns.secretAccessKey],
    [[...application, 'url'], payymo.appUrl],
    [[...application, 'trial', 'command'], trialCommand()],
    [[...application, 'trial', 'environment'], appEnvironment(state)],
    [[...application, 'deploy', 'command'], deployCommand()],
    [[...application, 'deploy', 'environment'], { MUSTER_LAB: state.dir }],
    ...bucketReplacements('vault', regions.east, regions.east.vaultBucket),
    ...bucketReplacements('anchor', regions.east, regions.east.journalBucket),
    [['verification', 'jobs'], 2],
  ];
}

function bucketReplacements(section: string, region: RegionState, bucket: string): Replacement[] {
  return [
    [[section, 'region'], region.region],
    [[section, 'bucket'], bucket],
    [[section, 'endpoint'], region.endpoint],
    [[section, 'pathStyle'], true],
    [[section, 'caFile'], region.caFile],
    [[section, 'accessKeyId'], region.accessKeyId],
    [[section, 'secretAccessKey'], region.secretAccessKey],
  ];
}

function siteReplacements(state: LabState, name: SiteName): Replacement[] {
  const { ledger } = state;
  const site = ledger.sites[name];
  const postgres = ['sites', name, 'postgres'];
  const service = [...postgres, 'service'];
  return [
    [[...postgres, 'host'], site.address],
    [[...postgres, 'port'], site.port],
    [[...postgres, 'database'], ledger.database],
    [[...postgres, 'admin', 'user'], ledger.admin.user],
    [[...postgres, 'application', 'user'], ledger.app.user],
    [[...postgres, 'replication', 'user'], ledger.replication.user],
    [[...service, 'account'], state.account],
    [[...service, 'dataDirectory'], site.dataDir],
    [[...service, 'socketDirectory'], site.socketDir],
    [[...service, 'logFile'], site.logFile],
    [[...service, 'binDirectory'], state.postgresBin],
    [[...postgres, 'backupConfig'], site.backupConfig],
  ];
}

/** The keys and authenticators of the owner's people by those of the lab's. */
function replaceProofs(document: Document, { people }: LabState, file: string): void {
  const roster = document.get('people');
  if (!isSeq(roster)) throw misfit(file, 'has no people');
  for (const person of roster.items) {
    if (!isMap(person) || !person.has('proofs')) continue;
    const name = String(person.get('name'));
    const own = people[name];
    if (own === undefined) throw misfit(file, `asks ${name} for proofs, which the lab does not have`);
    person.set('proofs', document.createNode({ totp: own.totp, keys: [own.publicKey] }));
  }
}

/** The owner's secrets by the names of their files. @throws LabError for one that the lab has no counterpart of. */
function replaceSecrets(document: Document, { ledger, dir }: LabState, file: string): void {
  const counterparts: Readonly<Record<string, string>> = {
    'ledger-admin-password': ledger.admin.password,
    'ledger-app-password': ledger.app.password,
    'ledger-replication-password': ledger.replication.password,
    'ledger-signing-key': ledger.signingKey,
  };
  visit(document, {
    Scalar(_, node) {
      const { value } = node;
      if (typeof value !== 'string' || !/^(file|env):/.test(value) || value.startsWith(`file:${dir}/`))
        return;
      const counterpart = counterparts[value.slice(value.lastIndexOf('/') + 1)];
      if (counterpart) node.value = counterpart;
      else throw misfit(file, `refers to the secret ${value}, of which the lab has no counterpart`);
    },
  });
}

function misfit(file: string, what: string): LabError {
  return new LabError(
    `${file} ${what}.`,
    'The runbook and lab/runbook.ts no longer fit together: change the one that is wrong.',
  );
}

/** Entries that a production runbook may leave out, where the lab has something to say. */
const ADDED = new Set([
  'endpoint',
  'accessKeyId',
  'secretAccessKey',
  'pathStyle',
  'caFile',
  'binDirectory',
  'environment',
]);

function replace(document: Document, path: readonly (string | number)[], value: unknown, file: string): void {
  const parent = path.slice(0, -1);
  const last = String(path.at(-1));
  if (!document.hasIn(path) && !(ADDED.has(last) && document.hasIn(parent))) {
    throw misfit(file, `has no ${path.join('.')}, which the lab must replace by its own`);
  }
  document.setIn(path, Array.isArray(value) ? document.createNode(value, { flow: true }) : value);
}
