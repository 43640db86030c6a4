import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { findingsOf } from '../../src/runbook/findings.js';
import { runbookJsonSchemaText } from '../../src/runbook/json-schema.js';
import { type LoadedRunbook, loadRunbook } from '../../src/runbook/load.js';

const minutes = 60_000;
const hours = 60 * minutes;

let payymo: LoadedRunbook;
beforeAll(async () => {
  payymo = await loadRunbook('runbooks/payymo.yaml');
});

test("the owner's objectives are held to the minute", () => {
  const { components, dataClasses } = payymo.runbook.objectives;
  expect(
    Object.fromEntries(Object.entries(components).map(([name, { rto }]) => [name, rto / hours])),
  ).toEqual({
    'core-api': 4,
    database: 6,
    'web-interface': 8,
    'file-storage': 12,
  });
  expect(
    Object.fromEntries(Object.entries(dataClasses).map(([name, { rpo }]) => [name, rpo / minutes])),
  ).toEqual({
    transactions: 5,
    accounts: 60,
    users: 60,
    configuration: 6 * 60,
    analytics: 24 * 60,
  });
});

test("the owner's disasters, tests, rules and standards are all there", () => {
  const { owner } = payymo.runbook;
  expect(Object.keys(owner?.procedures ?? {})).toEqual([
    'data-corruption',
    'infrastructure-failure',
    'zone-loss',
    'regional-disaster',
    'security-breach',
  ]);
  expect(Object.values(owner?.tests ?? {}).map(({ every }) => every / (24 * hours))).toEqual([30, 182]);
  expect(owner?.rules.join(' ')).toMatch(
    /multi-factor.*append-only.*reconciled daily.*snapshots.*Least privilege/,
  );
  expect(owner?.standards).toEqual(['PCI DSS', 'GDPR']);
});

test('what the owner promises and cannot hold is found, with a proposal', () => {
  const findings = findingsOf(payymo.runbook, payymo.source);
  expect(findings.filter(({ severity }) => severity === 'warning')).toEqual([
    {
      severity: 'warning',
      file: 'runbooks/payymo.yaml',
      line: payymo.source.placeOf(['objectives', 'components', 'core-api', 'rto']).line,
      column: 7,
      field: 'objectives.components.core-api.rto',
      what: 'core-api must be back within 4 h, but it depends on database, which may take 6 h.',
      proposal: expect.stringContaining(
        'Give database an RTO of at most 4 h, or core-api one of at least 6 h.',
      ),
    },
  ]);
  expect(findings.map(({ field }) => field)).toEqual([
    'people[0]',
    'objectives.components.core-api.rto',
    'objectives.components.web-interface',
    'scenarios.corruption.gates.promote.roles',
    'scenarios.azLoss.gates.promote.roles',
    'scenarios.infrastructureFailure.gates.promote.roles',
    'scenarios.breach.gates.security.roles',
    'scenarios.regionalLoss.gates.promote.roles',
    'scenarios.backupLoss.gates.promote.roles',
    'scenarios.failback.gates.switchover.roles',
    'scenarios.salvage.gates.salvage.roles',
  ]);
});

describe('the JSON Schema for editors', () => {
  const committed = readFileSync('runbooks/runbook.schema.json', 'utf8');

  test('is the one of the format (muster schema > runbooks/runbook.schema.json)', () => {
    expect(committed).toBe(runbookJsonSchemaText());
  });

  test('accepts the runbook, which refers to it, and refuses an unknown field and a plain secret', () => {
    const text = readFileSync('runbooks/payymo.yaml', 'utf8');
    expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=./runbook.schema.json');
    const validate = new Ajv2020({ strict: false }).compile(JSON.parse(committed));
    expect([validate(parse(text)), validate.errors]).toEqual([true, null]);
    expect(validate({ ...parse(text), extra: 1 })).toBe(false);
    expect(validate(parse(text.replace(/password: .*/, 'password: hunter2')))).toBe(false);
  });

  test('describes what an editor shows', () => {
    const { properties } = JSON.parse(committed);
    expect(properties.tier.description).toBe('1 is recovered first');
    expect(properties.vault.properties.failureDomain.description).toContain('What fails together');
  });
});
