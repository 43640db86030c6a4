/** Practice Hub's provider is out: the hot standby where it is current, else backup and restore, in its owner's times. */

import type { PlanDocument } from '../../src/model/plan.js';
import { loadRunbook } from '../../src/runbook/load.js';
import { budgetPath } from '../../workflows/engine/critical-path.js';
import { providerOutageScenario } from '../../workflows/providerOutage.js';

const minutes = 60_000;
let plan: PlanDocument;
beforeAll(async () => {
  const { runbook } = await loadRunbook('runbooks/practice-hub.yaml');
  plan = providerOutageScenario.buildPlan(runbook).document;
});

const named = (name: string) => {
  const found = plan.steps.find((step) => step.name === name);
  if (found === undefined) throw new Error(`there is no step ${name}`);
  return found;
};
const way = (label: string) =>
  plan.steps.filter(({ title }) => title.endsWith(`(${label})`)).map(({ name }) => name);

test('the plan has both ways, and an approver may choose the other', () => {
  expect(way('by standby')).toEqual(['catch-up', 'verify-standby', 'verify-standby-contents']);
  expect(way('by backup')).toEqual([
    ...['propose-point', 'provision-target', 'restore', 'verify-repository', 'verify-point', 'verify-files'],
    ...['verify-structure', 'verify-dump', 'verify-invariants', 'verify-application'],
  ]);
  expect(plan.changeables).toEqual([
    {
      name: 'target',
      step: 'choose-target',
      allowed: 'standby (the standby takes over) or east (a backup is restored there)',
    },
  ]);
  expect(named('gate-point').gate?.changes).toEqual(['target']);
});

test('who takes over changes nothing of the fence and of what was approved', () => {
  for (const name of [
    'gate-point',
    'fence-primary',
    'preserve-damaged',
    'lower-dns-ttl',
    'take-over-documents',
  ]) {
    expect(named(name).needs).not.toContain('choose-target');
  }
  expect(named('cutover').needs).toContain('promote');
});

test('a backup is restored before anybody approves, the standby is cut off only after the fence', () => {
  expect(named('provision-target').needs).not.toContain('gate-point');
  expect(named('catch-up').needs).toEqual(expect.arrayContaining(['fence-primary', 'choose-target']));
});

test("the owner's budgets of a complete site failure, within 4 hours", () => {
  const budget = (name: string) => named(name).budgetMs / minutes;
  const told = {
    confirm: 'look-at-primary',
    provision: 'provision-target',
    'restore database': 'restore',
    'restore files': 'reconcile-documents',
    'deploy application': 'deploy-application',
    DNS: 'cutover',
    verify: 'validate',
  };
  expect(Object.values(told).map(budget)).toEqual([5, 30, 60, 60, 60, 15, 30]);
  expect(named('gate-point').gate?.expiresMs).toBe(10 * minutes);

  expect(budgetPath(plan).totalMs).toBeLessThanOrEqual(240 * minutes);
});

test('nothing but the old primary itself is asked at the provider that is out', () => {
  const asked = plan.steps.filter(({ commands }) => /hub-db-west|eu-west-2/.test(JSON.stringify(commands)));
  expect(asked.map(({ name }) => name)).toEqual([
    ...['look-at-primary', 'fence-primary', 'preserve-damaged', 'validate'],
  ]);
});
