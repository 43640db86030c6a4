/**
 * A release is bad, and the database is in good health: the last good release comes back. Where the bad one has migrated the
 * database, its migrations are taken back, and what users wrote since is kept. Nothing is restored, so nothing is promoted.
 */
import { deployCommands } from '../activities/deploy/commands.js';
import { migrateDownCommands, releaseCommands } from '../activities/release/commands.js';
import type { NoParams } from '../src/model/run.js';
import type { Runbook } from '../src/runbook/schema.js';
import type { Plan, Scenario } from './engine/plan.js';
import { PlanBuilder } from './engine/plan-builder.js';
import { showRelease } from './engine/release-facts.js';
import { badDeploymentParts } from './parts.js';
import { headOf, minutes } from './steps/parts.js';

export const badDeploymentScenario: Scenario<NoParams> = {
  name: 'badDeployment',
  title: 'Bad release: back to the last good one, keeping what was written since',
  buildPlan,
};

function buildPlan(runbook: Runbook): Plan<NoParams> {
  const { section, subject, invariants } = badDeploymentParts(runbook);
  const { application, database } = subject;
  const { migrateDown: command } = section;
  const { site } = database;
  const migratesDown = command !== undefined;

  const plan = new PlanBuilder<NoParams>(headOf(runbook, badDeploymentScenario, section), section.budgets);

  const state = plan.step({
    name: 'assess-release',
    title: 'See which release runs, what of it fails, and which migrations came with it',
    effect: 'none',
    budgetMs: 5 * minutes,
    needs: {},
    commands: releaseCommands(subject),
    do: ({ at, long }) => long.assessRelease({ at, ...subject, invariants, migratesDown }),
  });

  const anotherRelease = plan.changeable({
    name: 'release',
    step: state,
    needs: {},
    allowed: 'a release that ran before',
    check: (value) => (value.trim() === '' ? 'A release has a name.' : undefined),
    madeBefore: 'kept',
    do: ({ at, long }, _needs, back) =>
      long.assessRelease({ at, ...subject, invariants, migratesDown, back }),
  });

  const approved = plan.gate({
    name: 'rollback',
    question: 'Go back to this release?',
    policy: section.gates.rollback,
    needs: { state },
    show: ({ state }) => showRelease(state),
    approving: `puts the release into service${migratesDown ? ' and takes back the migrations that came after it; rows that users wrote are kept' : ''}`,
    denying: 'the bad release stays; the gate stays open for another release or an abort',
    changes: [anotherRelease],
  });

  const deployed = plan.step({
    name: 'redeploy',
    title: `Put the last good release of ${application.component} into service`,
    effect: 'production',
    budgetMs: 15 * minutes,
    needs: { state },
    after: [approved],
    commands: deployCommands({ application, site, release: '<the last good release>' }),
    do: ({ at, long }, { state: { back: release } }) =>
      long.deployApplication({ at, application, site, release }),
    undo: {
      // It migrates the database again by itself where its migrations have been taken back.
      title: 'put the release that ran before into service again',
      do: ({ at, long }, { state: { running: release } }) =>
        long.deployApplication({ at, application, site, release }),
    },
  });

  const schema =
    command === undefined
      ? deployed
      : plan.step({
          name: 'migrate-down',
          title: 'Take back the migrations that came after it, and keep what users wrote',
          effect: 'production',
          budgetMs: 15 * minutes,
          needs: { state },
          after: [deployed],
          commands: migrateDownCommands(command, database),
          do: ({ at, long }, { state }) => long.migrateDown({ at, ...subject, command, state }),
        });

  const validated = plan.step({
    name: 'validate',
    title: 'Prove the release with the critical functions, and that no write is missing',
    kind: 'verification',
    effect: 'production',
    restores: section.restores,
    budgetMs: 10 * minutes,
    needs: { state },
    after: [schema],
    do: ({ at, long }, { state }) => long.validateRelease({ at, ...subject, invariants, state }),
  });

  return plan.build(validated);
}
