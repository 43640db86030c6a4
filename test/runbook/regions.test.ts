/** What is left of a system when the region of its primary is lost: nothing that lies there is part of the plan. */
import { copiesOf } from '../../src/runbook/crosscheck/copies.js';
import { loadRunbook } from '../../src/runbook/load.js';
import { lostWith, providerOf } from '../../src/runbook/regions.js';
import { providerOutageParts, regionalLossParts } from '../../workflows/parts.js';
import { providerOutageScenario } from '../../workflows/providerOutage.js';

test.each([
  ['payymo', ['us-east-1']],
  ['moneyflow', ['provider-two/us-east-1']],
  ['accubooks', ['us-east-1']],
  ['practice-hub', ['provider-two/eu-central-1']],
])('%s goes on with the copies outside of the region, in a site outside of it', async (system, left) => {
  const { runbook } = await loadRunbook(`runbooks/${system}.yaml`);
  const { parts, stores, region } = regionalLossParts(runbook);
  expect(
    copiesOf(parts.backup).copies.map(({ failureDomain }) => failureDomain.split('/us-east-1/')[0]),
  ).toEqual(left);
  expect(lostWith(region, { failureDomain: runbook.sites[parts.target.site]?.failureDomain ?? region })).toBe(
    false,
  );
  // The owner's schedule is told in words.
  const named = [copiesOf(parts.backup).copies, parts.target, stores, parts.vault];
  expect(JSON.stringify(named)).not.toContain(region);
});

test('moneyflow goes on with another provider: no step but the fence speaks of the one that is out', async () => {
  const { runbook } = await loadRunbook('runbooks/moneyflow.yaml');
  const { parts, provider, stores, hotStandby } = providerOutageParts(runbook);
  expect({ provider, hotStandby }).toEqual({ provider: 'provider-one', hotStandby: undefined });
  const named = [copiesOf(parts.backup).copies, parts.target, stores, parts.vault];
  expect(JSON.stringify(named)).not.toContain(provider);
  const { document } = providerOutageScenario.buildPlan(runbook);
  const old = parts.damaged.postgres.host;
  const speaking = document.steps.filter(({ commands }) => JSON.stringify(commands).includes(old));
  expect(speaking.map(({ name }) => name)).toEqual([
    ...['look-at-primary', 'fence-primary', 'preserve-damaged', 'validate'],
  ]);
});

test('the provider is what a failure domain begins with, unless that is the region', () => {
  const of = (failureDomain: string) => providerOf({ region: 'eu-west-2', failureDomain });
  expect(['host-one/eu-west-2/a', 'eu-west-2/a', 'office'].map(of)).toEqual([
    'host-one',
    undefined,
    'office',
  ]);
});

test('a failure domain is lost with the region that it names, whoever the provider is', () => {
  const domain = (failureDomain: string) => lostWith('us-west-2', { failureDomain });
  expect(['us-west-2', 'us-west-2/us-west-2a', 'provider-one/us-west-2/rack'].map(domain)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['us-west-20', 'us-east-1', 'provider-one/us-west-2a'].map(domain)).toEqual([false, false, false]);
});
