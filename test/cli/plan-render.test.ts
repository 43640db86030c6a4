import pico from 'picocolors';
import stringWidth from 'string-width';
import { verdictOf } from '../../src/cli/plan-verdict.js';
import { renderPlan } from '../../src/cli/render/plan.js';
import { waitsFor } from '../../src/cli/render/plan-order.js';
import type { PlanDocument } from '../../src/model/plan.js';
import { payymoPlan } from '../support/payymo-plan.js';

const minutes = 60_000;

function withBudget(plan: PlanDocument, name: string, budgetMs: number): PlanDocument {
  return { ...plan, steps: plan.steps.map((step) => (step.name === name ? { ...step, budgetMs } : step)) };
}

test('the verdict follows the longest chain, people not counted', () => {
  const verdict = verdictOf(payymoPlan);
  expect(verdict.path.totalMs).toBe((5 + 2 + 10 + 30 + 10 + 2 + 20 + 2 + 5 + 10) * minutes);
  expect(verdict.components.map(({ component, fits }) => [component, fits])).toEqual([
    ['database', true],
    ['core-api', true],
    ['web-interface', true],
  ]);
  expect(verdict.components[0]?.path.some(({ name }) => name.startsWith('gate-'))).toBe(false);
});

test('a budget beside the critical path changes nothing until it is the longest', () => {
  const total = (plan: PlanDocument) => verdictOf(plan).path.totalMs;
  expect(total(withBudget(payymoPlan, 'verify-invariants', 20 * minutes))).toBe(total(payymoPlan));
  expect(total(withBudget(payymoPlan, 'verify-invariants', 25 * minutes))).toBe(
    total(payymoPlan) + 5 * minutes,
  );
});

test('a component fits exactly at its RTO and not a moment later', () => {
  const { path } = verdictOf(payymoPlan);
  const late = (extraMs: number) =>
    verdictOf(withBudget(payymoPlan, 'restore', 30 * minutes + 240 * minutes - path.totalMs + extraMs))
      .components.filter(({ fits }) => !fits)
      .map(({ component }) => component);
  expect(late(0)).toEqual([]);
  expect(late(1)).toEqual(['core-api']);
});

test('gates that are left open until they expire count in the slowest case', () => {
  const { path, slowestMs } = verdictOf(payymoPlan);
  expect(slowestMs).toBe(path.totalMs + 15 * minutes);
});

test('a step is said to wait for the least that says it all', () => {
  expect(waitsFor(payymoPlan, 'assess')).toEqual([]);
  expect(waitsFor(payymoPlan, 'measure-loss')).toEqual(['validate']);
  expect(waitsFor(payymoPlan, 'report')).toEqual(['measure-loss', 'protect-again']);
});

test('colour changes no column', () => {
  const shown = { document: payymoPlan, hash: 'a'.repeat(64), verdict: verdictOf(payymoPlan) };
  const plain = renderPlan(shown, pico.createColors(false), 80);
  const coloured = renderPlan(shown, pico.createColors(true), 80);
  expect(coloured).not.toBe(plain);
  expect(coloured.split('\n').map((line) => stringWidth(line))).toEqual(
    plain.split('\n').map((line) => stringWidth(line)),
  );
});
