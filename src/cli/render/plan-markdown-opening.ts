/** The first pages of a printed runbook: objectives, rules, people, and what must be at hand. */
import { formatDuration } from '../../model/format.js';
import type { DnsRecord, Runbook } from '../../runbook/schema.js';
import { writeDuration } from '../../runbook/write-duration.js';
import type { PrintedPlan } from './plan-markdown.js';

/** A line to write on. */
export const BLANK = '\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_';

export function opening(plan: PrintedPlan): string[] {
  return [...title(plan), ...rules(plan.runbook), ...people(plan.runbook), ...atHand(plan.runbook)];
}

function title({ document, hash, verdict, runbook }: PrintedPlan): string[] {
  const toNote = [
    'Incident',
    'Detected at (UTC)',
    'Commander',
    'Data known to be good until (UTC)',
    'Recovery point chosen (UTC)',
    'System identifier and timeline of the damaged primary',
  ];
  return [
    `# ${runbook.title}: ${document.scenario}`,
    '',
    `${document.title}.`,
    '',
    '| objective | target | this plan, people not counted |',
    '|---|---|---|',
    ...verdict.components.map(
      ({ component, rtoMs, totalMs, fits }) =>
        `| ${component} back | ${writeDuration(rtoMs)} | ${formatDuration(totalMs)}${fits ? '' : ' **too long**'} |`,
    ),
    ...Object.entries(runbook.objectives.dataClasses).map(
      ([name, { rpo }]) => `| ${name} lost at most | ${writeDuration(rpo)} | measured at the end |`,
    ),
    '',
    `Plan \`${hash}\`. Print it again when the runbook changes.`,
    '',
    '| to note | |',
    '|---|---|',
    ...toNote.map((label) => `| ${label} | ${BLANK}${BLANK} |`),
    '',
  ];
}

function rules({ owner }: Runbook): string[] {
  return [
    '## Rules',
    '',
    '- Begin a step as soon as those that it stands after are done. Several people may work at once.',
    '- Write down who did what, when, in UTC, and what was seen. It is the evidence afterwards.',
    '- Nothing is promoted that has not been verified, and nothing before the old primary refuses writes.',
    '- Delete nothing. The damaged copy is kept until a person releases it.',
    '- When a check fails, stop and tell the commander. Never work around it.',
    '- Fill in `<...>`. A secret is named as `env:NAME` or `file:/path`: read it there, write it nowhere.',
    ...(owner?.rules ?? []).map((rule) => `- The owner demands: ${rule}`),
    ...(owner === undefined || owner.standards.length === 0
      ? []
      : [`- The notes are evidence for ${owner.standards.join(', ')}.`]),
    '',
  ];
}

function people(runbook: Runbook): string[] {
  return [
    '## Who decides',
    '',
    '| person | roles | reached by | called at |',
    '|---|---|---|---|',
    ...runbook.people.map(
      ({ name, roles, contacts }) => `| ${name} | ${roles.join(', ')} | ${contacts.join(', ')} | ${BLANK} |`,
    ),
    '',
  ];
}

function atHand(runbook: Runbook): string[] {
  return [
    '## What must be at hand',
    '',
    '| place | what | where |',
    '|---|---|---|',
    ...Object.entries(runbook.sites).flatMap(([name, { role, failureDomain, postgres }]) =>
      postgres === undefined
        ? []
        : [
            `| ${name} (${role}) | PostgreSQL, ${postgres.service.dataDirectory} | ${postgres.host}:${postgres.port}, ${failureDomain} |`,
          ],
    ),
    ...Object.entries(runbook.backups).flatMap(([name, backup]) =>
      backup.driver === 'archive'
        ? backup.copies.map((copy) => `| archives ${name} | ${copy.title} | ${copy.failureDomain} |`)
        : backup.repositories.map(
            ({ number, title: what, failureDomain }) =>
              `| backup ${backup.stanza}, repository ${number} | ${what} | ${failureDomain} |`,
          ),
    ),
    ...Object.values(runbook.dns).map(
      (record) => `| DNS | ${record.name} ${record.type} | ${authorityOf(record)} |`,
    ),
    ...Object.values(runbook.objects).flatMap(({ title, primary, secondary }) =>
      [primary, ...(secondary === undefined ? [] : [secondary])].map(
        ({ bucket, endpoint, failureDomain }) =>
          `| files | ${title}, bucket ${bucket} | ${endpoint === undefined ? '' : `${endpoint}, `}${failureDomain} |`,
      ),
    ),
    ...Object.values(runbook.infrastructure).map((section) =>
      section.driver === 'terraform'
        ? `| infrastructure | ${section.title} | ${section.program}, module ${section.directory} |`
        : `| infrastructure | ${section.title} | ${section.command.join(' ')} |`,
    ),
    `| vault | bucket ${runbook.vault.bucket} | ${runbook.vault.endpoint ?? runbook.vault.region} |`,
    ...secretsOf(runbook).map(({ field, reference }) => `| secret | ${field} | \`${reference}\` |`),
    '',
  ];
}

/** Where a record is changed, in words. */
function authorityOf(record: DnsRecord): string {
  switch (record.driver) {
    case 'route53':
      return `zone ${record.zoneId}`;
    case 'rfc2136':
      return `zone ${record.zone} at ${record.server}`;
  }
}

/** Every reference to a secret, with the first field that names it. */
function secretsOf(runbook: Runbook): { readonly field: string; readonly reference: string }[] {
  const found = new Map<string, string>();
  const walk = (value: unknown, field: string): void => {
    if (typeof value === 'string' && /^(env:[A-Za-z_]|file:\/)/.test(value)) {
      if (!found.has(value)) found.set(value, field);
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) walk(inner, field === '' ? key : `${field}.${key}`);
    }
  };
  walk(runbook, '');
  return [...found].map(([reference, field]) => ({ field, reference }));
}
