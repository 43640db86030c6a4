import { type Case, testCases } from './cases.js';

const section = 'scenarios.providerOutage';
const target =
  'providerOutage:\n    component: database\n    restores: [database, accounting]\n    lost: west\n    target: east\n';

const cases: readonly Case[] = [
  {
    what: 'a target that the same provider runs',
    from: target,
    to: target.replace('target: east', 'target: recovery'),
    field: `${section}.target`,
    given: 'recovery, in provider-one/us-west-2/us-west-2b',
    allowed: 'a site outside of provider-one, which is lost',
    at: 'target: recovery\n    backup: daily',
  },
  {
    what: 'a provider that is not told from its region',
    from: 'failureDomain: provider-one/us-west-2/us-west-2a\n    postgres',
    to: 'failureDomain: us-west-2/us-west-2a\n    postgres',
    field: 'sites.west.failureDomain',
    allowed: /^one that begins with the provider, for instance provider-one\/us-west-2/,
    at: 'failureDomain: us-west-2/us-west-2a',
  },
  {
    what: 'the vault with the provider that is out, in another region',
    from: 'vault:\n  region: us-east-1\n  failureDomain: provider-two/us-east-1',
    to: 'vault:\n  region: us-east-1\n  failureDomain: provider-one/us-east-1',
    field: 'vault.failureDomain',
    allowed: 'a failure domain outside of provider-one, which is lost: providerOutage needs the vault',
    at: 'failureDomain: provider-one/us-east-1',
  },
  {
    what: 'archives that are all with the provider that is out',
    from: 'title: S3 us-east-1, the archive\n        failureDomain: provider-two/us-east-1',
    to: 'title: S3 us-east-1, the archive\n        failureDomain: provider-one/us-east-1',
    field: 'backups.daily.copies',
    allowed: 'a copy outside of provider-one, which is lost',
    at: 'copies:',
  },
  {
    what: 'a standby where only archives are made',
    from: `${target}    backup: daily\n`,
    to: `${target}    standby: { site: recovery, maxLag: 5 min }\n    backup: daily # no WAL\n`,
    field: `${section}.backup`,
    given: /daily, whose driver is archive/,
    allowed: /^a backup whose driver is pgbackrest: a standby catches up from WAL/,
    at: 'backup: daily # no WAL',
  },
  {
    what: 'a standby that is none, at the provider that is out',
    from: target,
    to: `${target}    standby: { site: recovery, maxLag: 5 min }\n`,
    field: `${section}.standby.site`,
    allowed: /^(a site with the role standby; recovery has the role recovery|a site outside of provider-one)/,
    at: 'standby: { site: recovery',
  },
];

testCases(cases, 'moneyflow');
