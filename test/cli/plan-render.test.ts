import pico from 'picocolors';
import stringWidth from 'string-width';
import { verdictOf } from '../../src/cli/plan-verdict.js';
import { renderPlan } from '../../src/cli/render/plan.js';
import { renderPlanMarkdown } from '../../src/cli/render/plan-markdown.js';
import { waitsFor } from '../../src/cli/render/plan-order.js';
import type { PlanDocument } from '../../src/model/plan.js';
import { loadRunbook } from '../../src/runbook/load.js';
import type { GatePolicy, Runbook } from '../../src/runbook/schema.js';
import { corruptionScenario } from '../../workflows/corruption.js';
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

describe('a gate on paper', () => {
  const printed = async (policy: Partial<GatePolicy>) => {
    const { runbook } = await loadRunbook('runbooks/payymo.yaml');
    const { corruption } = runbook.scenarios;
    if (corruption === undefined) throw new Error('there is no corruption');
    const promote = { ...corruption.gates.promote, ...policy };
    const changed: Runbook = {
      ...runbook,
      scenarios: { corruption: { ...corruption, gates: { ...corruption.gates, promote } } },
    };
    const { document } = corruptionScenario.buildPlan(changed);
    const text = renderPlanMarkdown({
      document,
      hash: 'a'.repeat(64),
      verdict: verdictOf(document),
      runbook: changed,
    });
    return text.slice(text.indexOf('## 17.'), text.indexOf('## 18.'));
  };

  test('says who, how many, with which proofs, what happens when nobody answers, and what to type', async () => {
    const gate = await printed({
      roles: ['database-lead', 'security-lead'],
      approvals: 2,
      from: 'each',
      requester: 'does-not-count',
      atExpiry: 'escalate',
      escalateTo: ['incident-commander'],
    });
    expect(gate).toContain(
      '**Stop and ask** 2 different people, at least one for each of the roles **database-lead**, **security-lead**, after',
    );
    for (const line of [
      '- on-call (incident-commander), after 10 min: cannot count: a code of an authenticator is demanded here, and the roster has none for on-call',
      '- database-lead (database-lead): needs a signature and a code of the authenticator',
      '- security-lead (security-lead): needs a signature and a code of the authenticator',
      '- who began the recovery does not count here',
      '- a second factor is demanded: a code of the authenticator',
      '- no answer after 10 min: ask somebody with the role **incident-commander** as well',
      '- nobody else is there: 2 of on-call, security-lead may go on with a reason; then tell everybody on the roster',
      'muster approve payymo promote --by <name> --key <private key> --totp <code>',
      "muster deny payymo promote --by <name> --reason '<why>' --key <private key> --totp <code>",
      "muster override payymo promote --by <name> --reason '<why>' --key <private key> --totp <code>",
      'temporal workflow update execute --workflow-id payymo.real --name decide --input-file decision.json',
      `oathtool --totp -b "$(cat '/etc/muster/secrets/security-lead-totp')"   # what security-lead reads out`,
    ]) {
      expect(gate.split('\n')).toContain(line);
    }
    expect(gate.match(/☐ yes ☐ no/g)).toHaveLength(2);
  });

  test.each([
    ['remind', '- no answer after 10 min: ask again'],
    ['deny', '- no answer after 10 min: it counts as no'],
  ] as const)('%s', async (atExpiry, line) => {
    const gate = await printed({ atExpiry, secondFactor: 'none' });
    expect(gate.split('\n')).toContain(line);
    expect(gate).not.toContain('oathtool');
    expect(gate).not.toContain('--totp');
  });
});
