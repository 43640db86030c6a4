/** What a breach needs beside what every recovery does: signs, isolation, evidence, and credentials that nobody has stolen. */

import type {
  CredentialsRotated,
  EvidenceSecured,
  IntrusionSigns,
  OldCredentialsDead,
  PrimaryOpened,
  Promotion,
  Quarantine,
  Renewal,
  RungResult,
  StateCaptured,
  Summarised,
} from '../../activities/contract.js';
import { openCommands, proveCommands, rotateCommands } from '../../activities/credentials/commands.js';
import { captureCommands, evidenceCommands } from '../../activities/custody/commands.js';
import { deployCommands } from '../../activities/deploy/commands.js';
import { intrusionCommands } from '../../activities/intrusion/commands.js';
import type { BreachSection } from '../../src/runbook/schema.js';
import type { GateOutcome, StepHandle } from '../engine/plan.js';
import type { PlanBuilder } from '../engine/plan-builder.js';
import { type DatabaseRecovery, minutes, type Place } from './parts.js';

type Before = StepHandle<unknown>;

/** Dates the intrusion by what it left behind. */
export function lookForIntrusion<Params extends { readonly before?: string }>(
  plan: PlanBuilder<Params>,
  { baseline, tables }: BreachSection,
  { damaged, target, backup }: Pick<DatabaseRecovery, 'damaged' | 'target' | 'backup'>,
): StepHandle<IntrusionSigns> {
  return plan.step({
    name: 'look-for-intrusion',
    title: `Look for what the intruder left at ${damaged.site}, and since when`,
    effect: 'none',
    budgetMs: 3 * minutes,
    needs: {},
    commands: intrusionCommands({ at: damaged, baseline }),
    do: ({ at, long, params: { before } }) => {
      const known = before === undefined ? {} : { before };
      return long.lookForIntrusion({ at, damaged, from: target, backup, baseline, tables, ...known });
    },
  });
}

/** Sessions and their addresses end with the fence: what is known of them is kept first. */
export function captureState<Params>(
  plan: PlanBuilder<Params>,
  { evidence }: BreachSection,
  { damaged }: Pick<DatabaseRecovery, 'damaged'>,
): StepHandle<StateCaptured> {
  return plan.step({
    name: 'capture-state',
    title: `Keep what the server at ${damaged.site} knows: sessions, roles, rules, settings`,
    effect: 'none',
    budgetMs: 2 * minutes,
    needs: {},
    commands: captureCommands(damaged, evidence),
    do: ({ at, quick }) => quick.captureState({ at, damaged, evidence }),
  });
}

/** Nothing of the application goes on with what it holds in memory. Called off, it is deployed as it was. */
export function stopApplication<Params>(
  plan: PlanBuilder<Params>,
  { approved }: { readonly approved: StepHandle<GateOutcome> },
  { stopApplication: command }: BreachSection,
  { application, damaged }: Pick<DatabaseRecovery, 'application' | 'damaged'>,
): StepHandle<Summarised> {
  const { site } = damaged;
  return plan.step({
    name: 'stop-application',
    title: 'Stop the application',
    effect: 'production',
    budgetMs: 5 * minutes,
    needs: {},
    after: [approved],
    commands:
      command === undefined
        ? []
        : [{ where: 'where the application is deployed from', command: command.command.join(' ') }],
    do: async ({ at, careful }) => {
      const { url, healthPath } = application;
      return command === undefined
        ? { summary: `not by this run: the runbook does not say how. Stop the application at ${url} by hand` }
        : careful.stopApplication({ at, url, healthPath, command, site });
    },
    undo: {
      title: 'deploy the application as it was',
      do: async ({ at, long }) =>
        command === undefined
          ? { summary: 'it was not stopped by this run' }
          : long.startApplication({ at, application, site }),
    },
  });
}

/** A further rung: a copy that holds a sign of the intruder is from a moment when somebody was in. */
export function verifyClean<Params>(
  plan: PlanBuilder<Params>,
  { place, files }: { readonly place: StepHandle<Place>; readonly files: Before },
  { baseline, tables }: BreachSection,
  { target, targetAt }: Pick<DatabaseRecovery, 'target' | 'targetAt'>,
): StepHandle<RungResult> {
  return plan.step({
    name: 'verify-clean',
    title: 'Rung 7: no sign of the intruder in the copy',
    kind: 'verification',
    effect: 'sandbox',
    budgetMs: 10 * minutes,
    needs: { place },
    after: [files],
    commands: intrusionCommands({ at: target, baseline }),
    do: ({ at, long }, { place }) => long.verifyClean({ at, target: targetAt(place), baseline, tables }),
  });
}

/** The promotion does not wait for it: the cluster is stopped, and nothing of the recovery touches it any more. */
export function secureEvidence<Params>(
  plan: PlanBuilder<Params>,
  {
    quarantine,
    captured,
  }: { readonly quarantine: StepHandle<Quarantine>; readonly captured: StepHandle<StateCaptured> },
  { evidence }: BreachSection,
  {
    damaged,
    quarantineDirectory,
    backup,
  }: Pick<DatabaseRecovery, 'damaged' | 'quarantineDirectory' | 'backup'>,
): StepHandle<EvidenceSecured> {
  return plan.step({
    name: 'secure-evidence',
    title: 'Lock a copy of the breached cluster elsewhere, every file hashed, with a signed chain of custody',
    effect: 'sandbox',
    budgetMs: 60 * minutes,
    needs: { quarantine, captured },
    commands: evidenceCommands(damaged, quarantineDirectory, evidence),
    skipping: 'the only copy of the evidence is the quarantined cluster itself, which nothing locks',
    do: ({ at, long }, { quarantine, captured }) =>
      long.secureEvidence({ at, damaged, quarantine, backup, captured, evidence }),
  });
}

interface Promoted {
  readonly place: StepHandle<Place>;
  readonly promotion: StepHandle<Promotion>;
}

/**
 * New passwords, the old ones proven dead, and only then the way in: all on a copy that is promoted and that nobody but Muster
 * reaches. @returns the step after which the new primary can be reached
 */
export function renewCredentials<Params>(
  plan: PlanBuilder<Params>,
  { place, promotion }: Promoted,
  { baseline: { roles }, rotations }: BreachSection,
  renewals: readonly Renewal[],
  {
    sealed,
    opened,
  }: {
    readonly sealed: Pick<DatabaseRecovery, 'target' | 'targetAt' | 'damaged'>;
    readonly opened: Pick<DatabaseRecovery, 'target' | 'targetAt'>;
  },
): StepHandle<PrimaryOpened> {
  const { damaged } = sealed;

  const rotated: StepHandle<CredentialsRotated> = plan.step({
    name: 'rotate-credentials',
    title: 'Exchange every credential on the new primary, which nobody reaches yet',
    effect: 'production',
    budgetMs: 15 * minutes,
    needs: { place, promotion },
    commands: rotateCommands(sealed.target, renewals),
    do: ({ at, long }, { place, promotion }) =>
      long.rotateCredentials({
        at,
        sealed: sealed.targetAt(place),
        promotion: { promotedAt: promotion.promotedAt },
        renewals,
        roles,
        rotations,
      }),
  });

  const dead: StepHandle<OldCredentialsDead> = plan.step({
    name: 'prove-old-dead',
    title: 'Prove that no old credential lets anybody in, neither here nor there',
    effect: 'production',
    budgetMs: 5 * minutes,
    needs: { place, rotated },
    commands: proveCommands(sealed.target, damaged, renewals),
    do: ({ at, long }, { place, rotated: { absent } }) =>
      long.proveOldDead({ at, sealed: sealed.targetAt(place), damaged, renewals, absent, rotations }),
  });

  return plan.step({
    name: 'open-primary',
    title: 'Let applications reach the new primary',
    effect: 'production',
    budgetMs: 5 * minutes,
    needs: { place },
    after: [dead],
    commands: openCommands(opened.target),
    do: ({ at, careful }, { place }) =>
      careful.openPrimary({ at, sealed: sealed.targetAt(place), target: opened.targetAt(place), renewals }),
  });
}

/** The program of the owner is told where the new passwords are; it is told no password. */
export function deployAnew<Params>(
  plan: PlanBuilder<Params>,
  { place, opened }: { readonly place: StepHandle<Place>; readonly opened: Before },
  renewals: readonly Renewal[],
  { application, target }: Pick<DatabaseRecovery, 'application' | 'target'>,
): StepHandle<Summarised> {
  const credentials = Object.fromEntries(renewals.map(({ user, newPassword }) => [user, newPassword]));
  return plan.step({
    name: 'start-application',
    title: 'Deploy the application anew, with the new credentials',
    effect: 'production',
    budgetMs: 10 * minutes,
    needs: { place },
    after: [opened],
    commands: deployCommands({ application, site: target.site }),
    do: ({ at, long }, { place }) =>
      long.deployApplication({ at, application, site: place.site, inputs: { credentials } }),
  });
}
