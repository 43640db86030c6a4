import type { Backup, BreachSection, Runbook } from '../schema.js';
import { liesIn } from './copies.js';
import type { Problems } from './report.js';
import { checkDatabaseSection, checkPlaces } from './scenarios.js';

const section = ['scenarios', 'breach'] as const;

/** Everything that a recovery from a breach takes from other sections is there, and nothing old is used again. */
export function checkBreach(runbook: Runbook, problems: Problems): void {
  const breach = runbook.scenarios.breach;
  if (breach === undefined) return;
  checkDatabaseSection(runbook, 'breach', breach, problems);
  const { damaged, ...places } = breach;
  checkPlaces(runbook, { scenario: 'breach', field: 'damaged', old: damaged, ...places }, problems);
  checkCopies(runbook, breach, problems);
  checkCredentials(runbook, breach, problems);
  checkBaseline(runbook, breach, problems);
  checkSecurity(runbook, breach, problems);
}

/** Copies and evidence do not go down with what the intruder was in. */
function checkCopies(runbook: Runbook, breach: BreachSection, problems: Problems): void {
  const backup = runbook.backups[breach.backup];
  const domain = runbook.sites[breach.damaged]?.failureDomain;
  if (backup !== undefined) checkTrusted(backup, breach, problems);
  if (domain !== undefined && liesIn(breach.evidence.failureDomain, domain)) {
    problems.add(
      [...section, 'evidence', 'failureDomain'],
      `a failure domain outside of ${domain}, which the intruder was in`,
    );
  }
  if (runbook.applications[breach.application]?.deploy === undefined) {
    problems.add(
      ['applications', breach.application, 'deploy'],
      'how the application is deployed: breach needs it, for it is deployed anew with new credentials',
    );
  }
}

/** The copies that are left to be trusted are named as the backup has them. */
function checkTrusted(backup: Backup, breach: BreachSection, problems: Problems): void {
  const [own, other] =
    backup.driver === 'archive'
      ? (['copies', 'repositories'] as const)
      : (['repositories', 'copies'] as const);
  const named = breach[own];
  if (named === undefined) {
    problems.add([...section, own], `those of backups.${breach.backup} that the intruder could not change`);
  }
  if (breach[other] !== undefined) {
    problems.add([...section, other], `left out: backups.${breach.backup} has ${own}`);
  }
  const known =
    backup.driver === 'archive'
      ? backup.copies.map((_, index) => index + 1)
      : backup.repositories.map(({ number }) => number);
  named?.forEach((number, index) => {
    const path = [...section, own, index];
    const what = `one of the ${own} of backups.${breach.backup}`;
    problems.mustBeOneOf(path, String(number), known.map(String), what);
    if (backup.driver !== 'archive' || backup.copies[number - 1]?.driver !== 'folder') return;
    problems.add(path, 'a bucket: a folder keeps no versions, and whoever is on its machine can change it');
  });
}

/** Every login gets a new password, each in a file of its own that nothing refers to yet. */
function checkCredentials(runbook: Runbook, breach: BreachSection, problems: Problems): void {
  const { admin, application, replication, others } = breach.credentials;
  const path = [...section, 'credentials'] as const;
  const renewed = [
    { path: [...path, 'admin', 'newPassword'], value: admin.newPassword },
    { path: [...path, 'application', 'newPassword'], value: application.newPassword },
    ...(replication === undefined
      ? []
      : [{ path: [...path, 'replication', 'newPassword'], value: replication.newPassword }]),
    ...others.map(({ newPassword }, index) => ({
      path: [...path, 'others', index, 'newPassword'],
      value: newPassword,
    })),
  ];
  problems.mustDiffer(renewed, 'a file');
  const sites = Object.values(runbook.sites).flatMap(({ postgres }) => (postgres ? [postgres] : []));
  const old = new Set([
    ...sites.flatMap((postgres) => [postgres.admin, postgres.application]).map(({ password }) => password),
    ...sites.flatMap((postgres) => (postgres.replication ? [postgres.replication.password] : [])),
    ...others.map(({ oldPassword }) => oldPassword),
  ]);
  for (const { path: field, value } of renewed) {
    if (old.has(value)) problems.add(field, 'another file than that of a password in use');
  }
  const damaged = runbook.sites[breach.damaged]?.postgres;
  if (damaged?.replication !== undefined && replication === undefined) {
    problems.add(
      [...path, 'replication'],
      `the new password of ${damaged.replication.user}, which may be stolen`,
    );
  }
}

/** What the recovery itself rests on is no sign of an intruder. */
function checkBaseline(
  runbook: Runbook,
  { damaged, baseline, credentials }: BreachSection,
  problems: Problems,
): void {
  const postgres = runbook.sites[damaged]?.postgres;
  const path = [...section, 'baseline'] as const;
  if (postgres !== undefined) {
    const needed = [
      postgres.admin.user,
      postgres.application.user,
      ...credentials.others.map(({ user }) => user),
    ];
    const missing = needed.filter((user) => !baseline.roles.includes(user));
    if (missing.length > 0) problems.add([...path, 'roles'], `${missing.join(', ')} among others`);
    if (!baseline.superusers.includes(postgres.admin.user)) {
      problems.add([...path, 'superusers'], `${postgres.admin.user} among others: Muster's own login`);
    }
  }
  baseline.superusers.forEach((user, index) => {
    problems.mustBeOneOf([...path, 'superusers', index], user, baseline.roles, 'a role of baseline.roles');
  });
}

/** Whoever was in may know passwords and keys, not what somebody has in hand. */
function checkSecurity(
  { people }: Runbook,
  { gates: { security } }: BreachSection,
  problems: Problems,
): void {
  const path = [...section, 'gates', 'security'] as const;
  if (security.atExpiry === 'proceed') {
    problems.add(
      [...path, 'atExpiry'],
      'remind, escalate, deny: nothing is promoted because nobody answered',
    );
  }
  const authenticator = people.some(
    ({ roles, proofs }) => proofs?.totp !== undefined && roles.some((role) => security.roles.includes(role)),
  );
  if (security.secondFactor === 'none' && authenticator) {
    problems.add([...path, 'secondFactor'], 'totp: passwords and keys may be stolen');
  }
}
