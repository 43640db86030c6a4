import type { CorruptionSection, GatePolicy, Runbook } from '../schema.js';
import type { FieldPath } from '../source.js';
import { rolesOf } from './people.js';
import type { Problems } from './report.js';

const section = ['scenarios', 'corruption'] as const;

/** What every recovery of a database names. */
type DatabaseSection = Pick<
  CorruptionSection,
  'component' | 'restores' | 'backup' | 'record' | 'application' | 'budgets'
> & { readonly gates: Readonly<Record<string, GatePolicy>> };

/** Everything that the corruption recovery takes from other sections is there and fits together. */
export function checkCorruption(runbook: Runbook, problems: Problems): void {
  const corruption = runbook.scenarios.corruption;
  if (corruption === undefined) return;
  checkDatabaseSection(runbook, 'corruption', corruption, problems);
  checkDamagedAndTarget(runbook, corruption, problems);
}

/** What a recovery of a database names is there: components, backup, record, application, roles of the gates. */
export function checkDatabaseSection(
  runbook: Runbook,
  scenario: keyof Runbook['scenarios'],
  named: DatabaseSection,
  problems: Problems,
): void {
  const section = ['scenarios', scenario] as const;
  const known = (part: Readonly<Record<string, unknown>>) => Object.keys(part);
  const components = known(runbook.objectives.components);
  const ofComponents = 'a component of objectives.components';
  problems.mustBeOneOf([...section, 'component'], named.component, components, ofComponents);
  named.restores.forEach((name, index) => {
    problems.mustBeOneOf([...section, 'restores', index], name, components, ofComponents);
  });
  if (!named.restores.includes(named.component)) {
    problems.add([...section, 'restores'], `the component of the run, ${named.component}, among others`);
  }
  problems.mustBeOneOf([...section, 'backup'], named.backup, known(runbook.backups), 'a backup of backups');
  if (runbook.backups[named.backup]?.driver === 'archive') {
    problems.add(
      [...section, 'backup'],
      `a backup whose driver is pgbackrest: ${scenario} goes back to any moment, an archive only to that of its dump`,
      `${named.backup}, whose driver is archive`,
    );
  }
  problems.mustBeOneOf([...section, 'record'], named.record, known(runbook.dns), 'a record of dns');
  problems.mustBeOneOf(
    [...section, 'application'],
    named.application,
    known(runbook.applications),
    'an application of applications',
  );
  for (const [step, budget] of Object.entries(named.budgets)) {
    if (budget === 0) problems.add([...section, 'budgets', step], 'a duration above zero');
  }
  checkGates(runbook, section, named.gates, problems);
  checkTrial(runbook, scenario, named.application, problems);
}

function checkGates(
  runbook: Runbook,
  section: readonly [string, string],
  gates: Readonly<Record<string, GatePolicy>>,
  problems: Problems,
): void {
  const roles = rolesOf(runbook);
  for (const [gate, policy] of Object.entries(gates)) {
    policy.roles.forEach((role, index) => {
      const path = [...section, 'gates', gate, 'roles', index];
      problems.mustBeOneOf(path, role, roles, 'a role that somebody of the roster has');
    });
    policy.escalateTo.forEach((role, index) => {
      const path = [...section, 'gates', gate, 'escalateTo', index];
      problems.mustBeOneOf(path, role, roles, 'a role that somebody of the roster has');
    });
    if (policy.atExpiry === 'escalate' && policy.escalateTo.length === 0) {
      problems.add(
        [...section, 'gates', gate, 'atExpiry'],
        'escalate together with escalateTo, the roles that are asked then',
      );
    }
    if (policy.expires === 0) problems.add([...section, 'gates', gate, 'expires'], 'a duration above zero');
  }
  if (gates.promote?.atExpiry === 'proceed') {
    problems.add(
      [...section, 'gates', 'promote', 'atExpiry'],
      'remind, escalate, deny: nothing is promoted because nobody answered',
    );
  }
}

function checkDamagedAndTarget(runbook: Runbook, corruption: CorruptionSection, problems: Problems): void {
  const { damaged, target } = corruption;
  const sites = Object.keys(runbook.sites);
  const needed: readonly (readonly [path: readonly (string | number)[], name: string])[] = [
    [['damaged'], damaged],
    [['target'], target],
    ...corruption.otherTargets.map((name, index) => [['otherTargets', index], name] as const),
  ];
  for (const [field, name] of needed) {
    problems.mustBeOneOf([...section, ...field], name, sites, 'a site of sites');
    if (runbook.sites[name] !== undefined && runbook.sites[name].postgres === undefined) {
      problems.add(['sites', name, 'postgres'], `the PostgreSQL server of this site: corruption needs it`);
    }
    const values = runbook.dns[corruption.record]?.values;
    if (values !== undefined && sites.includes(name) && values[name] === undefined) {
      problems.add(['dns', corruption.record, 'values', name], `the values that lead to ${name}`);
    }
  }
  const from = runbook.sites[damaged];
  if (damaged === target) {
    problems.add(
      [...section, 'target'],
      `another site than the damaged one: the copy is built beside it, and ${damaged} is kept as it is`,
    );
    return;
  }
  if (from !== undefined && from.role !== 'primary') {
    problems.add([...section, 'damaged'], `the primary; ${damaged} has the role ${from.role}`);
  }
  if (from !== undefined && from.quarantineDirectory === undefined) {
    problems.add(
      ['sites', damaged, 'quarantineDirectory'],
      'where the damaged cluster is kept: corruption needs it',
    );
  }
  checkTarget(runbook, corruption, [...section, 'target'], target, problems);
  corruption.otherTargets.forEach((name, index) => {
    const path = [...section, 'otherTargets', index];
    if (name === damaged || name === target || corruption.otherTargets.indexOf(name) < index) {
      problems.add(path, `a site that is neither the damaged one, ${damaged}, nor a target already`);
    } else {
      checkTarget(runbook, corruption, path, name, problems);
    }
  });
}

/** The recovered copy can be built at this site, and applications can be led there. */
function checkTarget(
  runbook: Runbook,
  { damaged, record }: CorruptionSection,
  path: FieldPath,
  target: string,
  problems: Problems,
): void {
  const [from, to] = [runbook.sites[damaged], runbook.sites[target]];
  if (to !== undefined && to.role === 'primary') {
    problems.add(path, `a site that is not a primary; ${target} is one`);
  }
  if (from?.postgres && to?.postgres && from.postgres.database !== to.postgres.database) {
    problems.add(
      ['sites', target, 'postgres', 'database'],
      `${from.postgres.database}: a physical copy has the databases of its original`,
    );
  }
  const values = runbook.dns[record]?.values ?? {};
  const shared = values[target]?.find((value) => values[damaged]?.includes(value));
  if (shared !== undefined) {
    problems.add(['dns', record, 'values', target], `other values than those of ${damaged}`, shared);
  }
}

/** The last rung of verification runs the application against the copy, and the run ends with its critical functions. */
function checkTrial(runbook: Runbook, scenario: string, name: string, problems: Problems): void {
  const application = runbook.applications[name];
  if (application === undefined) return;
  const path = ['applications', name] as const;
  if (application.trial === undefined) {
    problems.add([...path, 'trial'], `how the application is started against the copy: ${scenario} needs it`);
  }
  if (!application.functions.some((each) => each.readOnly)) {
    problems.add(
      [...path, 'functions'],
      'at least one function that is readOnly, to try the application on the copy',
      'none that is readOnly',
    );
  }
  if (!application.functions.some((each) => !each.readOnly)) {
    problems.add(
      [...path, 'functions'],
      'at least one function that writes, to prove the service at the end of a recovery',
      'none that writes',
    );
  }
}
