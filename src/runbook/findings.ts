/**
 * What a runbook promises and cannot hold, or leaves to luck. Findings are no errors: the runbook can be used as it is, and
 * its owner is told what would make it better.
 */
import { breachRules } from './breach-findings.js';
import { copiesOf, liesIn, primaryDomain } from './crosscheck/copies.js';
import { fieldName } from './field-facts.js';
import { ownerRules } from './owner-findings.js';
import { peopleRules } from './people-findings.js';
import type { GatePolicy, Runbook } from './schema.js';
import type { FieldPath, RunbookSource } from './source.js';
import { writeDuration } from './write-duration.js';

/** `warning`: a promise that cannot be held. `advice`: something left to luck. */
export type Severity = 'warning' | 'advice';

export interface Finding {
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly field: string;
  readonly what: string;
  readonly proposal: string;
}

export type Rule = (runbook: Runbook) => readonly Found[];

export interface Found {
  readonly severity: Severity;
  readonly path: FieldPath;
  readonly what: string;
  readonly proposal: string;
}

/** @returns findings in the order of the lines */
export function findingsOf(runbook: Runbook, source: RunbookSource): Finding[] {
  return rules
    .flatMap((rule) => rule(runbook))
    .map(({ path, severity, what, proposal }) => ({
      severity,
      file: source.file,
      ...source.placeOf(path),
      field: fieldName(path),
      what,
      proposal,
    }))
    .sort((one, other) => one.line - other.line || one.column - other.column);
}

/** A component cannot be back before what it depends on. */
const rtoOfDependencies: Rule = ({ objectives: { components } }) =>
  Object.entries(components).flatMap(([name, { rto, dependsOn }]) =>
    dependsOn.flatMap((other) => {
      const needed = components[other]?.rto ?? 0;
      if (needed <= rto) return [];
      return [
        {
          severity: 'warning' as const,
          path: ['objectives', 'components', name, 'rto'],
          what: `${name} must be back within ${writeDuration(rto)}, but it depends on ${other}, which may take ${writeDuration(needed)}.`,
          proposal: `Give ${other} an RTO of at most ${writeDuration(rto)}, or ${name} one of at least ${writeDuration(needed)}. Until then a recovery of ${other} is held against both.`,
        },
      ];
    }),
  );

/** What is not in the archive yet is lost with the primary. */
const rpoOfBackups: Rule = ({ objectives: { dataClasses }, scenarios, backups }) => {
  const name = scenarios.corruption?.backup;
  const backup = name === undefined ? undefined : backups[name];
  if (name === undefined || backup?.driver !== 'pgbackrest') return [];
  const within = backup.walArchivedWithin;
  if (within === undefined) {
    return [
      {
        severity: 'advice',
        path: ['backups', name],
        what: 'It is not said how late a commit may reach the archive, so no RPO can be held against it.',
        proposal: 'Set walArchivedWithin: archive_timeout plus the time that the transfer takes.',
      },
    ];
  }
  return Object.entries(dataClasses)
    .filter(([, { rpo }]) => rpo < within)
    .map(([dataClass, { rpo }]) => ({
      severity: 'warning' as const,
      path: ['objectives', 'dataClasses', dataClass, 'rpo'],
      what: `${dataClass} may lose at most ${writeDuration(rpo)}, but a commit may take ${writeDuration(within)} to reach the archive (backups.${name}.walArchivedWithin).`,
      proposal: `Lower archive_timeout so that WAL is archived within ${writeDuration(rpo)}, or keep a streaming standby.`,
    }));
};

const copiesInOneRegion: Rule = (runbook) => {
  const region = primaryDomain(runbook)?.split('/')[0];
  if (region === undefined) return [];
  return Object.entries(runbook.backups)
    .filter(([, backup]) => copiesOf(backup).copies.every((copy) => liesIn(copy.failureDomain, region)))
    .map(([name, backup]) => ({
      severity: 'warning' as const,
      path: ['backups', name, copiesOf(backup).field],
      what: `Every copy lies in ${region}, as the primary does: the loss of ${region} is the loss of all data.`,
      proposal: `Add a ${backup.driver === 'archive' ? 'copy' : 'repository'} outside of ${region}.`,
    }));
};

const filesInOnePlace: Rule = ({ objects }) =>
  Object.entries(objects)
    .filter(([, { secondary }]) => secondary === undefined)
    .map(([name, { title, primary }]) => ({
      severity: 'warning' as const,
      path: ['objects', name],
      what: `${title} are in bucket ${primary.bucket} only: when it is lost, so are they.`,
      proposal: 'Keep a copy in a bucket outside of its failure domain and name it (secondary).',
    }));

const copiesInTheClear: Rule = ({ backups }) =>
  Object.entries(backups).flatMap(([name, backup]) =>
    (backup.driver === 'archive' ? [] : backup.repositories).flatMap(({ cipher, number }, index) =>
      cipher === 'aes-256-cbc'
        ? []
        : [
            {
              severity: 'warning' as const,
              path: ['backups', name, 'repositories', index],
              what:
                cipher === 'none'
                  ? `Repository ${number} is not encrypted.`
                  : `It is not said whether repository ${number} is encrypted.`,
              proposal: `Set repo${number}-cipher-type to aes-256-cbc in pgBackRest's configuration, and say so here (cipher).`,
            },
          ],
    ),
  );

const gatesForOnePerson: Rule = (runbook) =>
  Object.entries(runbook.scenarios).flatMap(([scenario, section]) =>
    gatesOfOne(runbook.people, scenario, Object.entries(section?.gates ?? {})),
  );

function gatesOfOne(
  people: Runbook['people'],
  scenario: string,
  gates: readonly (readonly [string, GatePolicy])[],
): ReturnType<Rule> {
  return people.flatMap((person) => {
    const alone = gates.filter(([, { roles, escalateTo }]) =>
      people.every(
        (other) =>
          other.roles.some((role) => [...roles, ...escalateTo].includes(role)) === (other === person),
      ),
    );
    const [first] = alone;
    if (first === undefined) return [];
    const roles = [...new Set(alone.flatMap(([, gate]) => gate.roles))].join(', ');
    return [
      {
        severity: 'advice' as const,
        path: ['scenarios', scenario, 'gates', first[0], 'roles'],
        what: `Only ${person.name} can decide at ${listed(alone.map(([gate]) => `the gate ${gate}`))}: when that person cannot be reached, the run waits.`,
        proposal: `Give one of the roles (${roles}) to a second person, or name a further role.`,
      },
    ];
  });
}

const fencingWithoutAnyone: Rule = ({ scenarios }) =>
  scenarios.corruption?.gates.point.atExpiry === 'proceed'
    ? [
        {
          severity: 'warning',
          path: ['scenarios', 'corruption', 'gates', 'point', 'atExpiry'],
          what: 'When nobody answers at the gate point, the primary is fenced without a person having agreed.',
          proposal: 'Use remind or escalate.',
        },
      ]
    : [];

const componentsWithoutRecovery: Rule = ({ objectives, scenarios }) => {
  const restored = new Set(
    Object.values(scenarios).flatMap((scenario) =>
      scenario !== undefined && 'restores' in scenario ? scenario.restores : [],
    ),
  );
  const others = Object.keys(objectives.components).filter((name) => !restored.has(name));
  if (others.length === 0) return [];
  return [
    {
      severity: 'advice',
      path: ['objectives', 'components', others[0] as string],
      what: `No scenario of this runbook brings ${listed(others)} back, so the RTO is promised and never measured.`,
      proposal: 'Name them in the restores of the scenario that brings them back, once there is one.',
    },
  ];
};

const proceduresWithoutScenario: Rule = ({ owner, scenarios }) => {
  const open = Object.entries(owner?.procedures ?? {}).filter(
    ([, { scenario }]) => scenario === undefined || !Object.hasOwn(scenarios, scenario),
  );
  if (open.length === 0) return [];
  return [
    {
      severity: 'advice',
      path: ['owner', 'procedures', open[0]?.[0] as string],
      what: `The owner plans for ${listed(open.map(([, { title }]) => title.toLowerCase()))}, which no scenario of this runbook carries out.`,
      proposal: 'Add a scenario and name it here, or keep a printed procedure for that day.',
    },
  ];
};

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const rules: readonly Rule[] = [
  rtoOfDependencies,
  rpoOfBackups,
  copiesInOneRegion,
  filesInOnePlace,
  copiesInTheClear,
  gatesForOnePerson,
  fencingWithoutAnyone,
  componentsWithoutRecovery,
  proceduresWithoutScenario,
  ...ownerRules,
  ...peopleRules,
  ...breachRules,
];
