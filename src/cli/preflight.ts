/** What is looked at before a recovery is begun. Nothing here changes anything anywhere. */
import { hostname } from 'node:os';
import type { DatabaseAt } from '../../activities/contract.js';
import { productionSteps } from '../../workflows/engine/rules.js';
import { InputError, MusterError, messageOf, RefusedError } from '../errors.js';
import type { PlanDocument } from '../model/plan.js';
import type { Mode, ScenarioParams } from '../model/run.js';
import type { ArchiveBackup, Backup, Runbook } from '../runbook/schema.js';

export interface PreflightSubject {
  readonly runbook: Runbook;
  readonly plan: PlanDocument;
  readonly params: ScenarioParams;
  /** Whether a worker runs on this machine, so that what is found here holds for it. */
  readonly workerIsHere: boolean;
}

/** Throws when the recovery must not be begun; answers with a remark when it could not look. */
export type PreflightCheck = (subject: PreflightSubject) => Promise<string | undefined>;

/** How long the vault is asked. */
const VAULT_MS = 15_000;
/** How long the copies of archives are asked what they hold. */
const COPIES_MS = 30_000;

/** The first one that finds something decides what is said. */
const checks: Readonly<Record<string, readonly PreflightCheck[]>> = {
  corruption: [toolsAreThere, targetReadsBackups, pointIsCovered, nobodyElseRecovers],
  azLoss: [toolsAreThere, targetReadsBackups, standbyStands, nobodyElseRecovers],
  infrastructureFailure: [toolsAreThere, targetReadsBackups, nobodyElseRecovers],
  regionalLoss: [toolsAreThere, targetReadsBackups, nobodyElseRecovers],
  providerOutage: [toolsAreThere, targetReadsBackups, standbyIsFit, nobodyElseRecovers],
  objectLoss: [filesCanComeBack],
  // What can be read of copies is what the run is to find out.
  backupLoss: [toolsAreThere, nobodyElseRecovers],
  badDeployment: [releaseCanGo],
  failback: [toolsAreThere, targetReadsBackups, runsWhereItIsLeft, nobodyElseRecovers],
  breach: [toolsAreThere, targetReadsBackups, newSecretsAreNotThere, nobodyElseRecovers],
  corruptedTables: [tablesAreCovered, nobodyElseRecovers],
  salvage: [nobodyElseRecovers],
};

/**
 * Looks at what can be looked at from here. The run looks again itself, before it touches anything.
 *
 * @returns remarks on what could not be looked at
 * @throws InputError or RefusedError; nothing has been started
 */
export async function preflight(subject: PreflightSubject): Promise<string[]> {
  if (!subject.workerIsHere) {
    return [
      'The worker runs on another machine: whether its tools and the backups are in order is seen by the run itself, first of all.',
    ];
  }
  const looks = await Promise.allSettled(
    (checks[subject.plan.scenario] ?? []).map((check) => check(subject)),
  );
  return looks.flatMap((look) => {
    if (look.status === 'rejected') throw nothingStarted(look.reason);
    return look.value ?? [];
  });
}

/** Identities are `muster@host:pid`. */
export function isHere(identities: readonly string[]): boolean {
  return identities.some((identity) => identity.split('@').at(-1)?.split(':', 1)[0] === hostname());
}

/**
 * A drill must not be able to reach production: one of a plan that has steps with production effect is not begun.
 * @throws InputError
 */
export function requireConfined(mode: Mode, plan: PlanDocument): void {
  const production = productionSteps(plan);
  if (mode === 'real' || production.length === 0) return;
  throw new InputError(`The scenario ${plan.scenario} cannot be drilled: its steps would reach production.`, [
    {
      field: '--mode',
      given: 'drill',
      allowed: `real; with effect on production are ${production.join(', ')}`,
    },
  ]);
}

async function toolsAreThere(subject: PreflightSubject): Promise<undefined> {
  const { programOf, versionOf } = await import('../../activities/service/index.js');
  const { pgbackrestVersion } = await import('../../activities/pgbackrest/command.js');
  const { target, backup } = await partsOf(subject);
  if (backup.driver === 'pgbackrest') await pgbackrestVersion();
  const loading = backup.driver === 'archive' ? ['initdb', 'pg_restore', 'psql'] : [];
  for (const program of ['pg_ctl', 'pg_controldata', 'pg_checksums', 'pg_amcheck', 'pg_dump', ...loading]) {
    await versionOf(await programOf(target.postgres, program));
  }
}

async function targetReadsBackups(subject: PreflightSubject): Promise<string | undefined> {
  const { unreadableFrom } = await import('../../activities/point/coverage.js');
  const { archiveReach } = await import('../../activities/archive/reach.js');
  const { target, backup } = await partsOf(subject);
  const unreadable =
    backup.driver === 'archive'
      ? (await archiveReach(subject.runbook.system, backup, AbortSignal.timeout(COPIES_MS))).unreadable
      : await unreadableFrom(target, backup);
  if (unreadable.length === 0) return undefined;
  const copies = backup.driver === 'archive' ? 'copy' : 'repository';
  return `From ${target.site} not every ${copies} can be read: ${unreadable.map(messageOf).join(' ')}`;
}

async function filesCanComeBack({ runbook, params }: PreflightSubject): Promise<string | undefined> {
  const { objectsActivities } = await import('../../activities/objects/index.js');
  const { objectLossParts } = await import('../../workflows/parts.js');
  const { store } = objectLossParts(runbook);
  const { kind, damage, summary } = await objectsActivities().assessFiles({
    at: stepRef(runbook, 'objectLoss'),
    store,
    window: 'damage' in params ? params : { damage: 'changed' },
  });
  if (kind !== 'files-damaged') return `Not a moment, a bucket is recovered: ${summary}.`;
  if (damage !== undefined && damage.deleted + damage.overwritten > 0) return undefined;
  return `Nothing would come back: ${summary}. Look at --before, --until and --prefix.`;
}

async function releaseCanGo({ runbook }: PreflightSubject): Promise<string | undefined> {
  const { releaseActivities } = await import('../../activities/release/index.js');
  const { badDeploymentParts } = await import('../../workflows/parts.js');
  const { section, subject } = badDeploymentParts(runbook);
  const { healthy, failing, running } = await releaseActivities().assessRelease({
    at: stepRef(runbook, 'badDeployment'),
    ...subject,
    invariants: [],
    migratesDown: section.migrateDown !== undefined,
  });
  if (!healthy || failing.length > 0) return undefined;
  return `Release ${running} is healthy, and what only reads works: what writes was not tried.`;
}

function stepRef({ system }: Runbook, scenario: string) {
  return { runId: '', system, scenario, mode: 'real' as const, step: '' };
}

async function standbyStands(subject: PreflightSubject): Promise<string | undefined> {
  const { checkStandby } = await import('../../activities/standby/check.js');
  const { azLossParts } = await import('../../workflows/parts.js');
  const { target, damaged, backup } = azLossParts(subject.runbook).parts;
  const at = stepRef(subject.runbook, 'azLoss');
  const { primaryAnswers } = await checkStandby({
    at,
    standby: target,
    primary: damaged,
    backup,
    dataClasses: {},
  });
  return primaryAnswers
    ? `The primary at ${damaged.site} answers: it is not lost. Going on fences it and fails over all the same.`
    : undefined;
}

/** Where there is a hot standby: one that is not fit is no reason not to begin, a backup is restored then. */
async function standbyIsFit({ runbook }: PreflightSubject): Promise<string | undefined> {
  const { providerOutageParts } = await import('../../workflows/parts.js');
  const { hotStandby, parts } = providerOutageParts(runbook);
  if (hotStandby === undefined) return undefined;
  const { outageActivities } = await import('../../activities/outage/index.js');
  const { target: standby, damaged: primary, backup } = hotStandby.parts;
  const { standby: found, summary } = await outageActivities().lookAtWays({
    at: stepRef(runbook, 'providerOutage'),
    ...{ standby, primary, backup, from: parts.target, maxLagMs: hotStandby.maxLagMs, dataClasses: {} },
  });
  return found.unfit.length === 0 ? undefined : `It will be proposed that ${summary}.`;
}

async function runsWhereItIsLeft(subject: PreflightSubject): Promise<undefined> {
  const { findPrimary } = await import('../../activities/failback/find.js');
  const { damaged: from, target: home, record, vault } = await partsOf(subject);
  const { system } = subject.runbook;
  const at = { runId: '', system, scenario: 'failback', mode: 'real' as const, step: '' };
  await findPrimary({ at, from, home, record, vault });
}

/** What lies around already may be known to whoever was in. */
async function newSecretsAreNotThere({ runbook }: PreflightSubject): Promise<undefined> {
  const { existsSync } = await import('node:fs');
  const { breachParts } = await import('../../workflows/parts.js');
  const there = breachParts(runbook)
    .renewals.map(({ newPassword }) => newPassword)
    .filter((reference) => existsSync(reference.slice('file:'.length)));
  if (there.length === 0) return undefined;
  throw new RefusedError('NewSecretNotFresh', `${there.join(', ')} is there already.`, {
    why: 'The run makes the new passwords itself; what lay around during the breach is not new.',
    next: 'Move the files away, or name others in the runbook (scenarios.breach.credentials).',
  });
}

async function partsOf({ runbook, plan }: PreflightSubject) {
  const { partsOfScenario } = await import('../../workflows/parts.js');
  return partsOfScenario(runbook, plan.scenario);
}

async function pointIsCovered({ runbook, params }: PreflightSubject): Promise<string | undefined> {
  const { corruptionParts } = await import('../../workflows/parts.js');
  const { damaged, backup } = corruptionParts(runbook).parts;
  return isCovered(runbook, { damaged, backup }, params);
}

async function tablesAreCovered({ runbook, params }: PreflightSubject): Promise<string | undefined> {
  const { corruptedTablesParts } = await import('../../workflows/parts.js');
  const { live, backup } = corruptedTablesParts(runbook);
  return isCovered(runbook, { damaged: live, backup }, params);
}

async function isCovered(
  runbook: Runbook,
  { damaged, backup }: { readonly damaged: DatabaseAt; readonly backup: Backup },
  { before }: ScenarioParams,
): Promise<string | undefined> {
  const { coverage, toMoment } = await import('../../activities/point/index.js');
  if (backup.driver === 'archive') return archiveIsOlder(runbook, backup, before);
  const { oldest, newest, live } = await coverage(damaged, backup);
  if (before === undefined) return searches(runbook, oldest, newest);
  const asked = toMoment(before);
  if (asked >= oldest && asked <= newest) return undefined;
  const until = live
    ? `${newest}, now`
    : `${newest}, the last that reached the archive (the primary does not answer)`;
  throw new InputError(`The backups of ${runbook.system} do not lead to that moment.`, [
    { field: '--before', given: before, allowed: `from ${oldest} until ${until}` },
  ]);
}

function searches({ verification: { invariants } }: Runbook, oldest: string, newest: string): string {
  if (invariants.length > 0) {
    return `No moment is given: the newest point in which all ${invariants.length} invariants hold is searched for, between ${oldest} and ${newest}. With --before nothing has to be searched.`;
  }
  throw new InputError('It is not said until when the data is good, and no invariant tells it.', [
    {
      field: '--before',
      given: 'nothing',
      allowed: 'the newest moment at which the data is known to be good; or add verification.invariants',
    },
  ]);
}

async function archiveIsOlder(
  runbook: Runbook,
  backup: ArchiveBackup,
  before: string | undefined,
): Promise<string | undefined> {
  const { archiveReach } = await import('../../activities/archive/reach.js');
  const { toMoment } = await import('../../activities/point/index.js');
  const { system } = runbook;
  const { oldest, newest } = await archiveReach(system, backup, AbortSignal.timeout(COPIES_MS));
  if (before === undefined && oldest !== undefined && newest !== undefined) {
    return searches(runbook, oldest, newest);
  }
  if (before !== undefined && oldest !== undefined && Date.parse(toMoment(before)) > Date.parse(oldest)) {
    return undefined;
  }
  throw new InputError(`No archive of ${system} is from before that moment.`, [
    {
      field: '--before',
      given: before ?? 'nothing',
      allowed: oldest === undefined ? 'nothing: there is no full archive' : `later than ${oldest}`,
    },
  ]);
}

// Another orchestrator's runs are on its own Temporal server; what they claim is in the vault for all to see.
async function nobodyElseRecovers({ runbook }: PreflightSubject): Promise<string | undefined> {
  const { recoveringRun, withVault } = await import('../../activities/vault/index.js');
  const { system, vault } = runbook;
  try {
    const found = await withVault(vault, AbortSignal.timeout(VAULT_MS), (open) =>
      recoveringRun(open, system),
    );
    if (found === undefined) return undefined;
    return `Run ${found.runId} has fenced ${system}, at ${found.at}, and has neither promoted a copy nor been called off. If another orchestrator works on it, let it, and begin nothing here. If its Temporal server is lost, go on with it: muster adopt ${found.runId}.`;
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    return `Whether another orchestrator recovers ${system} is not known: ${error.message} Nothing is fenced or promoted without the vault.`;
  }
}

// What an activity would report as a failed step is, here, a reason not to begin.
function nothingStarted(error: unknown): Error {
  if (error instanceof InputError || !(error instanceof MusterError)) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
  return new RefusedError(error.code, `${error.message} Nothing has been started.`, {
    next: `${error.next} With --no-preflight the run is begun all the same and stops at the step that meets it.`,
    ...(error.why === undefined ? {} : { why: error.why }),
    cause: error,
    details: error.details,
  });
}
