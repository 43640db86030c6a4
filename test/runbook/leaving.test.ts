/** The way home begins where the system is, of the places that the runbook names. */
import { leavable, leavingFrom, siteOfValues } from '../../src/runbook/leaving.js';
import { readRunbook } from '../../src/runbook/load.js';

import { failbackScenario } from '../../workflows/failback.js';
import { failbackParts } from '../../workflows/parts.js';
import { good } from './cases.js';

const loaded = readRunbook('payymo.yaml', good);

test('the place that the record leads to is left, and every step is about it', () => {
  const { runbook } = leavingFrom(loaded, 'standby');
  expect(leavable(runbook)).toEqual(['standby', 'recovery', 'east']);
  expect(failbackParts(runbook).parts.damaged.site).toBe('standby');
  const { document } = failbackScenario.buildPlan(runbook);
  expect(document.steps.find(({ name }) => name === 'fence-primary')?.title).toContain('standby');
});

test('any other place changes nothing', () => {
  for (const site of ['recovery', 'west', 'elsewhere', undefined]) {
    expect(leavingFrom(loaded, site)).toBe(loaded);
  }
});

test('a record leads to the site whose values it holds, all of them', () => {
  const values = { west: ['10.0.0.1'], east: ['10.0.0.2', '10.0.0.3'] };
  expect(siteOfValues(values, ['10.0.0.3', '10.0.0.2'])).toBe('east');
  expect(siteOfValues(values, ['10.0.0.2'])).toBeUndefined();
});

test('where backups are archives the last state is dumped after the writes have stopped, and loaded', async () => {
  const { readFileSync } = await import('node:fs');
  const moneyflow = readRunbook('moneyflow.yaml', readFileSync('runbooks/moneyflow.yaml', 'utf8'));
  const { document } = failbackScenario.buildPlan(moneyflow.runbook);
  const needsOf = (name: string) => document.steps.find((step) => step.name === name)?.needs ?? [];
  expect(needsOf('take-last-archive')).toContain('fence-primary');
  expect(needsOf('preserve-damaged')).toContain('find-last-archive');
  expect(needsOf('promote')).toEqual(
    expect.arrayContaining(['preserve-damaged', 'verify-point', 'gate-switchover']),
  );
});
