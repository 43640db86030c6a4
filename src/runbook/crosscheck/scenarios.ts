import type { CorruptionSection, GatePolicy, Runbook } from '../schema.js';
import type { FieldPath } from '../source.js';
import { rolesOf } from './people.js';
import type { Problems } from './report.js';

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
  const { damaged, ...places } = corruption;
  checkPlaces(runbook, { scenario: 'corruption', field: 'damaged', old: damaged, ...places }, problems);
}

/** The same for a recovery from the loss of the primary's server. */
export function checkInfrastructureFailure(runbook: Runbook, problems: Problems): void {
  const failure = runbook.scenarios.infrastructureFailure;
  if (failure === undefined) return;
  checkDatabaseSection(runbook, 'infrastructureFailure', failure, problems);
  const { lost, ...places } = failure;
  checkPlaces(runbook, { scenario: 'infrastructureFailure', field: 'lost', old: lost, ...places }, problems);
}

/** The same where the usual copies are bad. */
export function checkBackupLoss(runbook: Runbook, problems: Problems): void {
  const loss = runbook.scenarios.backupLoss;
  if (loss === undefined) return;
  checkDatabaseSection(runbook, 'backupLoss', loss, problems);
  const { damaged, standby, target, record } = loss;
  const places = { old: damaged, target, otherTargets: [], record };
  checkPlaces(runbook, { scenario: 'backupLoss', field: 'damaged', ...places }, problems);
  const section = ['scenarios', 'backupLoss'] as const;
  if (standby === undefined) return;
  problems.mustBeOneOf([...section, 'standby'], standby, Object.keys(runbook.sites), 'a site of sites');
  if (standby === damaged || standby === target) {
    problems.add(
      [...section, 'standby'],
      `a third site: ${damaged} is damaged, copies are tried at ${target}`,
    );
  }
}

/** From where to where a database is recovered. */
interface Places extends Pick<CorruptionSection, 'target' | 'otherTargets' | 'record'> {
  readonly scenario: keyof Runbook['scenarios'];
  /** The field that names the old primary. */
  readonly field: string;
  readonly old: string;
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
  checkRestored(runbook, section, named, problems);
  problems.mustBeOneOf([...section, 'backup'], named.backup, known(runbook.backups), 'a backup of backups');
  checkArchive(runbook, section, named.backup, problems);
  problems.mustBeOneOf([...section, 'record'], named.record, known(runbook.dns), 'a record of dns');
  problems.mustBeOneOf(
    [...section, 'application'],
    named.application,
    known(runbook.applications),
    'an application of applications',
  );
  checkBudgets(section, named.budgets, problems);
  checkGates(runbook, section, named.gates, problems);
  checkTrial(runbook, scenario, named.application, problems);
}

/** An archive that a recovery goes back to has to hold everything, and to be read. */
function checkArchive(
  runbook: Runbook,
  section: readonly [string, string],
  name: string,
  problems: Problems,
): void {
  const backup = runbook.backups[name];
  if (backup?.driver !== 'archive') return;
  if (backup.content !== 'full') {
    problems.add(
      [...section, 'backup'],
      'a backup of everything (content: full)',
      `${name}, ${backup.content} only`,
    );
  }
  if (backup.identities.length === 0) {
    problems.add(
      ['backups', name, 'identities'],
      `the private keys that its archives are read with: ${section[1]} restores from it`,
    );
  }
}

/** The components of a run. */
export function checkRestored(
  runbook: Runbook,
  section: readonly [string, string],
  { component, restores }: Pick<DatabaseSection, 'component' | 'restores'>,
  problems: Problems,
): void {
  const components = Object.keys(runbook.objectives.components);
  const ofComponents = 'a component of objectives.components';
  problems.mustBeOneOf([...section, 'component'], component, components, ofComponents);
  restores.forEach((name, index) => {
    problems.mustBeOneOf([...section, 'restores', index], name, components, ofComponents);
  });
  if (!restores.includes(component)) {
    problems.add([...section, 'restores'], `the component of the run, ${component}, among others`);
  }
}

export function checkBudgets(
  section: readonly [string, string],
  budgets: Readonly<Record<string, number>>,
  problems: Problems,
): void {
  for (const [step, budget] of Object.entries(budgets)) {
    if (budget === 0) problems.add([...section, 'budgets', step], 'a duration above zero');
  }
}

export function checkGates(
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

/** From where to where: sites with a server, that DNS can lead to. */
export function checkPlaces(runbook: Runbook, places: Places, problems: Problems): void {
  const { scenario, field, old, target, otherTargets, record } = places;
  const section = ['scenarios', scenario] as const;
  const sites = Object.keys(runbook.sites);
  const needed: readonly (readonly [path: readonly (string | number)[], name: string])[] = [
    [[field], old],
    [['target'], target],
    ...otherTargets.map((name, index) => [['otherTargets', index], name] as const),
  ];
  for (const [path, name] of needed) {
    problems.mustBeOneOf([...section, ...path], name, sites, 'a site of sites');
    if (runbook.sites[name] !== undefined && runbook.sites[name].postgres === undefined) {
      problems.add(['sites', name, 'postgres'], `the PostgreSQL server of this site: ${scenario} needs it`);
    }
    const values = runbook.dns[record]?.values;
    if (values !== undefined && sites.includes(name) && values[name] === undefined) {
      problems.add(['dns', record, 'values', name], `the values that lead to ${name}`);
    }
  }
  const from = runbook.sites[old];
  if (old === target) {
    problems.add(
      [...section, 'target'],
      `another site than the ${field} one: the copy is built beside it, and ${old} is kept as it is`,
    );
    return;
  }
  if (from !== undefined && from.role !== 'primary') {
    problems.add([...section, field], `the primary; ${old} has the role ${from.role}`);
  }
  if (from !== undefined && from.quarantineDirectory === undefined) {
    problems.add(
      ['sites', old, 'quarantineDirectory'],
      `where the ${field} cluster is kept: ${scenario} needs it`,
    );
  }
  checkTarget(runbook, places, [...section, 'target'], target, problems);
  otherTargets.forEach((name, index) => {
    const path = [...section, 'otherTargets', index];
    if (name === old || name === target || otherTargets.indexOf(name) < index) {
      problems.add(path, `a site that is neither the ${field} one, ${old}, nor a target already`);
    } else {
      checkTarget(runbook, places, path, name, problems);
    }
  });
}

/** The recovered copy can be built at this site, and applications can be led there. */
function checkTarget(
  runbook: Runbook,
  { old, record }: Places,
  path: FieldPath,
  target: string,
  problems: Problems,
): void {
  const [from, to] = [runbook.sites[old], runbook.sites[target]];
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
  const shared = values[target]?.find((value) => values[old]?.includes(value));
  if (shared !== undefined) {
    problems.add(['dns', record, 'values', target], `other values than those of ${old}`, shared);
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
