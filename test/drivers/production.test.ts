/** A drill cannot reach production, whatever plan it was given: the activities themselves refuse. */

import type { MusterActivities, StepRef } from '../../activities/contract.js';
import { createActivities } from '../../activities/index.js';
import { pgbackrestOf } from '../../src/runbook/backups.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { Runbook } from '../../src/runbook/schema.js';
import { breachScenario } from '../../workflows/breach.js';
import { corruptionScenario } from '../../workflows/corruption.js';
import type { Plan } from '../../workflows/engine/plan.js';
import { objectLossScenario } from '../../workflows/objectLoss.js';
import { regionalLossScenario } from '../../workflows/regionalLoss.js';
import { stepOf } from './support/steps.js';

const activities = createActivities();

/** Every act of the plan on production, with those that undo it, as a drill would ask for it. */
async function actsOnProduction(
  buildPlan: (runbook: Runbook) => Plan<never>,
): Promise<readonly (readonly [string, () => Promise<unknown>])[]> {
  const { runbook } = await loadRunbook('runbooks/payymo.yaml');
  const { steps } = buildPlan(runbook);
  return steps.flatMap(({ document, inputs, do: act, undo }) => {
    if (document.effect !== 'production') return [];
    const at: StepRef = { ...stepOf('run-1', runbook.system, document.name), mode: 'drill' };
    const context = {
      at,
      params: { before: '' } as never,
      quick: activities,
      long: activities,
      careful: activities,
    };
    // Enough of every output for the refusal; anything that went further would fail otherwise.
    const needs = Object.fromEntries(
      Object.keys(inputs).map((key) => [key, { checks: [], token: 1, site: 'recovery', absent: [] }]),
    );
    return [
      [document.name, async () => act?.(context, needs)],
      ...(undo === undefined
        ? []
        : [[`undo of ${document.name}`, async () => undo(context, needs)] as const]),
    ] as const;
  });
}

test.each([
  [corruptionScenario, ['fence-primary', 'undo of preserve-damaged', 'promote', 'cutover', 'validate']],
  [
    regionalLossScenario,
    ['fence-primary', 'deploy-application', 'take-over-statements', 'promote', 'cutover'],
  ],
  [
    breachScenario,
    ['stop-application', 'rotate-credentials', 'prove-old-dead', 'open-primary', 'start-application'],
  ],
])(
  'every step of a recovery that touches production is refused to a drill: $name',
  async (scenario, some) => {
    const acts = await actsOnProduction(scenario.buildPlan);
    expect(acts.map(([name]) => name)).toEqual(expect.arrayContaining(some));
    for (const [name, act] of acts) {
      const outcome = await act().then(
        () => 'done',
        (error: { code?: string; message?: string }) => error.code ?? error.message,
      );
      expect(`${name}: ${outcome}`).toBe(`${name}: DrillForbidden`);
    }
  },
);

test('every step of a recovery of files that touches production is refused to a drill, whatever was lost', async () => {
  const { runbook } = await loadRunbook('runbooks/payymo.yaml');
  const { steps } = objectLossScenario.buildPlan(runbook);
  const acts = steps.filter(({ document }) => document.effect === 'production');
  const outcomeOf = (kind: string) => async (act: (typeof acts)[number]) => {
    const at: StepRef = { ...stepOf('run-1', runbook.system, act.document.name), mode: 'drill' };
    const params = { damage: 'changed' } as const;
    const context = { at, params, quick: activities, long: activities, careful: activities };
    const window = { before: '2026-01-01T00:00:00Z', damage: 'changed' };
    const needs = { loss: { kind, window }, reconciled: { differingCount: 0 } };
    return act.do?.(context, needs).then(
      ({ summary }) => summary,
      (error: { code?: string; message?: string }) => error.code ?? error.message,
    );
  };
  const [lost, damaged] = await Promise.all(
    ['bucket-lost', 'files-damaged'].map((kind) => Promise.all(acts.map(outcomeOf(kind)))),
  );
  const nothing = expect.stringMatching(/^nothing to do/);
  // make-bucket, fill-bucket, restore-files, copy-again
  expect(lost).toEqual(['DrillForbidden', 'DrillForbidden', nothing, 'DrillForbidden']);
  expect(damaged).toEqual([nothing, nothing, 'DrillForbidden', 'DrillForbidden']);
});

test('a drill has the primary write nothing to find its point', async () => {
  const { runbook } = await loadRunbook('runbooks/payymo.yaml');
  const site = runbook.sites.west?.postgres;
  const backup = pgbackrestOf(runbook, 'ledger');
  if (site === undefined || backup === undefined) throw new Error('the runbook has changed');
  // Nobody may log in with this secret, so asking would fail.
  const admin = { ...site.admin, password: 'env:MUSTER_TEST_NO_SUCH_SECRET' };
  const input: Parameters<MusterActivities['proposePoint']>[0] = {
    at: { ...stepOf('run-1'), mode: 'drill' },
    damaged: { site: 'west', postgres: { ...site, host: '127.0.0.1', admin } },
    backup,
    before: '2026-01-01T00:00:00Z',
    dataClasses: {},
  };
  const failure = (error: { code?: string }) => error.code;
  const [drill, real] = await Promise.all([
    activities.proposePoint(input).catch(failure),
    activities.proposePoint({ ...input, at: stepOf('run-1') }).catch(failure),
  ]);
  expect(real).toBe('SecretMissing');
  expect(drill).not.toBe('SecretMissing');
});
