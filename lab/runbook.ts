/** The owner's runbook with the addresses of a lab: what stands elsewhere in production is replaced, everything else stays. */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Document, isMap, isSeq, parseDocument, visit } from 'yaml';
import { projectRoot } from './built.js';
import { LabError } from './errors.js';
import type { LabState, LoginState, RegionState, SiteState } from './state.js';

/** A system's runbook as its owner wrote it. */
export function ownerRunbook(system = 'payymo'): string {
  return join(projectRoot(), 'runbooks', `${system}.yaml`);
}

/** A place in the runbook and what stands there in the lab. */
export type Replacement = readonly [path: readonly (string | number)[], value: unknown];

/** What stands in the lab in place of what its owner wrote. */
export interface Lab {
  readonly title: string;
  readonly state: LabState;
  /** @param runbook the owner's, as it was read */
  readonly replacements: (runbook: Document) => readonly Replacement[];
  /** The lab's reference for a secret of the owner, by the name of its file. */
  readonly secretOf: (name: string) => string | undefined;
}

/**
 * Writes a runbook with the addresses, ports, paths and secret references of a lab. Everything else (objectives, roles, gates,
 * invariants, comments) stays as the owner wrote it.
 *
 * @param baseFile the owner's runbook
 * @param outFile where the lab's copy goes
 * @throws LabError when the owner's file lacks an entry that the lab must replace: a copy that kept a production address
 * could do harm
 */
export async function writeRunbook(lab: Lab, baseFile: string, outFile: string): Promise<void> {
  const document = parseDocument(await readFile(baseFile, 'utf8'));
  if (document.errors.length > 0 || !isMap(document.contents)) {
    throw new LabError(
      `${baseFile} is not a runbook: ${document.errors[0]?.message ?? 'it holds no entries'}.`,
      'Run muster check.',
    );
  }
  for (const [path, value] of lab.replacements(document)) replace(document, path, value, baseFile);
  replaceProofs(document, lab.state, baseFile);
  replaceSecrets(document, lab, baseFile);
  const schema = join(dirname(baseFile), 'runbook.schema.json');
  document.commentBefore = [
    ` yaml-language-server: $schema=${schema}`,
    '',
    ` ${lab.title}'s runbook with the addresses of the lab in ${lab.state.dir}, written by muster lab up from`,
    ` ${baseFile}: change that one, not this one.`,
  ].join('\n');
  document.contents.commentBefore = null;
  await writeFile(outFile, document.toString({ lineWidth: 120, flowCollectionPadding: false }));
}

/**
 * Where a recovery from a breach writes a new password: the file is not there yet; one that was made so before is in use.
 *
 * @param inUse references by the names that the owner gives their files
 * @returns undefined for the name of any other secret
 */
export function renewedSecret(
  folder: string,
  name: string,
  inUse: Readonly<Record<string, string>>,
): string | undefined {
  if (!name.endsWith('-renewed')) return undefined;
  const reference = `file:${join(folder, name)}`;
  return inUse[name.replace(/-renewed$/, '')] === reference ? `${reference}-again` : reference;
}

export function bucketReplacements(
  section: readonly (string | number)[],
  region: RegionState,
  bucket: string,
): Replacement[] {
  return [
    [[...section, 'region'], region.region],
    [[...section, 'bucket'], bucket],
    [[...section, 'endpoint'], region.endpoint],
    [[...section, 'pathStyle'], true],
    [[...section, 'caFile'], region.caFile],
    [[...section, 'accessKeyId'], region.accessKeyId],
    [[...section, 'secretAccessKey'], region.secretAccessKey],
  ];
}

/** The server at a site. @param logins of the system's database */
export function serverReplacements(
  state: LabState,
  postgres: readonly string[],
  site: SiteState,
  logins: { readonly database: string; readonly admin: LoginState; readonly app: LoginState },
): Replacement[] {
  const service = [...postgres, 'service'];
  return [
    [[...postgres, 'host'], site.address],
    [[...postgres, 'port'], site.port],
    [[...postgres, 'database'], logins.database],
    [[...postgres, 'admin', 'user'], logins.admin.user],
    [[...postgres, 'application', 'user'], logins.app.user],
    [[...service, 'account'], state.account],
    [[...service, 'dataDirectory'], site.dataDir],
    [[...service, 'socketDirectory'], site.socketDir],
    [[...service, 'logFile'], site.logFile],
    [[...service, 'binDirectory'], state.postgresBin],
  ];
}

/** Who is asked for the record, and who answers it. */
export function recordReplacements(
  { dns }: LabState,
  record: readonly string[],
  { name, zoneId }: { readonly name: string; readonly zoneId: string },
): Replacement[] {
  return [
    [[...record, 'zoneId'], zoneId],
    [[...record, 'name'], name],
    [[...record, 'ttl'], dns.ttl],
    [[...record, 'resolvers'], [dns.resolver]],
    [[...record, 'endpoint'], dns.route53Endpoint],
    [[...record, 'accessKeyId'], dns.accessKeyId],
    [[...record, 'secretAccessKey'], dns.secretAccessKey],
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
function replaceSecrets(document: Document, { state, secretOf }: Lab, file: string): void {
  visit(document, {
    Scalar(_, node) {
      const { value } = node;
      if (typeof value !== 'string' || !/^(file|env):/.test(value) || value.startsWith(`file:${state.dir}/`))
        return;
      const counterpart = secretOf(value.slice(value.lastIndexOf('/') + 1));
      if (counterpart) node.value = counterpart;
      else throw misfit(file, `refers to the secret ${value}, of which the lab has no counterpart`);
    },
  });
}

function misfit(file: string, what: string): LabError {
  return new LabError(
    `${file} ${what}.`,
    'The runbook and the lab no longer fit together: change the one that is wrong.',
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
