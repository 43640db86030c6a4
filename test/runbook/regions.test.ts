/** What is left of a system when the region of its primary is lost: nothing that lies there is part of the plan. */
import { copiesOf } from '../../src/runbook/crosscheck/copies.js';
import { loadRunbook } from '../../src/runbook/load.js';
import { lostWith } from '../../src/runbook/regions.js';
import { regionalLossParts } from '../../workflows/parts.js';

test.each([
  ['payymo', ['us-east-1']],
  ['moneyflow', ['provider-two/us-east-1']],
  ['accubooks', ['us-east-1']],
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

test('a failure domain is lost with the region that it names, whoever the provider is', () => {
  const domain = (failureDomain: string) => lostWith('us-west-2', { failureDomain });
  expect(['us-west-2', 'us-west-2/us-west-2a', 'provider-one/us-west-2/rack'].map(domain)).toEqual([
    true,
    true,
    true,
  ]);
  expect(['us-west-20', 'us-east-1', 'provider-one/us-west-2a'].map(domain)).toEqual([false, false, false]);
});
