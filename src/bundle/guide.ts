/** The pages of a bundle for whoever opens it at night, with or without Muster. */
import type { Runbook } from '../runbook/schema.js';
import type { Need, Needs } from './needs.js';
import { PUBLIC_KEY, SIGNATURE, SUMS } from './seal.js';

export interface GuideFacts {
  readonly runbook: Runbook;
  readonly scenarios: readonly string[];
  readonly version: string;
  readonly node: string;
  /** Where Muster itself is had from, in the words of who made the bundle. */
  readonly source: string | undefined;
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly writtenAt: string;
}

export function guidePage(facts: GuideFacts): string {
  const { runbook, scenarios, version, node, source, fingerprint, writtenAt } = facts;
  const { system, title } = runbook;
  return page([
    `# ${title}: to recover it without Muster's own site`,
    '',
    `Written ${writtenAt} by Muster ${version}. It holds no secret. The key that signed it has the fingerprint (SHA-256)`,
    `\`${fingerprint}\`: compare it with the one that you have from elsewhere.`,
    '',
    '## Is it what was signed?',
    '',
    `With Muster: \`muster bundle verify FILE --key KEY\`. Without: unpack it (\`tar xzf\`), then`,
    '',
    '```sh',
    'sha256sum --check --strict SHA256SUMS',
    `openssl pkeyutl -verify -pubin -inkey ${PUBLIC_KEY} -rawin -in ${SUMS} -sigfile ${SIGNATURE}`,
    '```',
    '',
    '## By hand',
    '',
    ...scenarios.map(
      (scenario) => `- \`printed/${scenario}.md\`: every step of ${scenario} with its commands`,
    ),
    '- `ROSTER.md`: who decides, and how they are reached',
    '- `BACKUPS.md`: where the backups are, and what keeps them apart',
    '- `SECRETS.md`: every secret and file that is needed, by name; where each comes from is not written here',
    '',
    '## With Muster, on a laptop',
    '',
    `Muster ${version}, Node ${node} or newer, pgBackRest and the PostgreSQL programs; Temporal's server comes with Muster's set-up`,
    `(\`npm run setup\`, on a day on which there is a network). ${source === undefined ? 'Where Muster is had from was not said when this was written: ask who operates it.' : `Muster is had from: ${source}`}`,
    '',
    '```sh',
    `muster bundle open FILE ./${system}           # verifies it, and says which secrets are still to be filled`,
    `cd ${system}`,
    'MUSTER_RUNBOOKS=$PWD/runbooks muster serve    # Temporal, its UI and a worker; leave it running',
    '# in another terminal, in the same folder:',
    'export MUSTER_RUNBOOKS=$PWD/runbooks',
    ...scenarios.map((scenario) => `muster plan ${scenario} ${system}`),
    ...scenarios.slice(0, 1).map((scenario) => `muster recover ${scenario} ${system} --help`),
    '```',
    '',
    'No store is needed: without `MUSTER_STORE_URL` journal, run and report wait in `MUSTER_HOME` (`muster serve` says where). An anchor',
    'bucket that cannot be reached does not hold the recovery up either. Keep that folder: once a worker runs with it and a store is named, all of it goes there, in order.',
    '',
    'Fencing, promotion and verification are the same as ever: the vault has to be reached, and what was not verified is not promoted.',
  ]);
}

export function secretsPage({ secrets, files }: Needs, system: string): string {
  return page([
    `# What ${system} needs and this bundle does not hold`,
    '',
    'A `file:` is put at that path on the machine on which the worker runs, mode 0600, readable for the account of the worker. An `env:` is',
    "set in the worker's environment. The values are in your company's safe, never here.",
    '',
    ...table('secret', secrets),
    ...(files.length === 0 ? [] : ['', '## Configuration and certificates', '', ...table('file', files)]),
  ]);
}

function table(what: string, needs: readonly Need[]): string[] {
  return [
    `| ${what} | needed by |`,
    '|---|---|',
    ...needs.map(
      ({ reference, fields }) => `| \`${reference}\` | ${fields.map((field) => `\`${field}\``).join(', ')} |`,
    ),
  ];
}

export function rosterPage({ people, breakGlass, title }: Runbook): string {
  return page([
    `# Who decides for ${title}`,
    '',
    '| name | roles | contacts | proves with |',
    '|---|---|---|---|',
    ...people.map(({ name, roles, contacts, proofs }) => {
      const ways = [
        ...(proofs?.keys?.length
          ? [`signature (${proofs.keys.length} key${proofs.keys.length > 1 ? 's' : ''})`]
          : []),
        ...(proofs?.totp === undefined ? [] : ['code of an authenticator']),
      ];
      const shown = ways.length === 0 ? 'nothing: their word counts' : ways.join(' and ');
      return `| ${name} | ${roles.join(', ')} | ${contacts.join(', ')} | ${shown} |`;
    }),
    '',
    breakGlass === undefined
      ? 'Nobody can override a gate.'
      : `Override: ${breakGlass.people} people of ${breakGlass.roles.join(', ')} together, with a reason.`,
    '',
    'The public keys stand in the runbook.',
  ]);
}

export function backupsPage(runbook: Runbook): string {
  const { backups, sites, vault, anchor } = runbook;
  return page([
    `# Where the backups of ${runbook.title} are`,
    '',
    'The text below is the part of the runbook about backups. Addresses and credentials of the repositories stand in the configuration files of',
    'pgBackRest, one a site:',
    '',
    ...Object.entries(sites).flatMap(([name, { postgres }]) =>
      postgres?.backupConfig === undefined ? [] : [`- ${name}: \`${postgres.backupConfig}\``],
    ),
    '',
    '```json',
    JSON.stringify(backups, null, 2),
    '```',
    '',
    'Tokens that keep a system from being promoted twice are in the vault; the journal is anchored in a bucket of another site.',
    '',
    '```json',
    JSON.stringify({ vault, anchor }, null, 2),
    '```',
  ]);
}

function page(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
