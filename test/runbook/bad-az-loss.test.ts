import { type Case, testCases } from './cases.js';

const section = 'scenarios.azLoss';

const azLoss: readonly Case[] = [
  {
    what: 'a standby that is no standby',
    from: 'standby: standby\n    newStandby',
    to: 'standby: recovery\n    newStandby',
    field: `${section}.standby`,
    allowed: /^a site with the role standby; recovery has the role recovery/,
  },
  {
    what: 'a lost site that is not the primary',
    from: 'lost: west',
    to: 'lost: recovery',
    field: `${section}.lost`,
    allowed: /^the primary; recovery has the role recovery/,
  },
  {
    what: 'a standby in the zone of the primary',
    from: 'failureDomain: us-west-2/us-west-2c',
    to: 'failureDomain: us-west-2/us-west-2a',
    field: 'sites.standby.failureDomain',
    allowed: /^a failure domain outside of us-west-2\/us-west-2a, which west is lost with/,
    at: 'failureDomain: us-west-2/us-west-2a\n    postgres:\n      host: ledger-db-standby',
  },
  {
    what: 'a new standby at the lost site',
    from: 'newStandby:\n      site: recovery',
    to: 'newStandby:\n      site: west',
    field: `${section}.newStandby.site`,
    allowed: /^a free site: west is lost, and standby is the primary by then/,
    at: 'site: west',
  },
  {
    what: 'no values that lead to the standby',
    from: '      standby: [10.20.3.15]\n',
    to: '',
    field: 'dns.ledger.values.standby',
    allowed: 'the values that lead to standby',
    at: 'values:\n      west: [10.20.1.15]',
  },
  {
    what: 'a promotion because nobody answered',
    from: 'atExpiry: remind\n        secondFactor: totp\n    budgets: {}\n  infrastructureFailure',
    to: 'atExpiry: proceed\n        secondFactor: totp\n    budgets: {}\n  infrastructureFailure',
    field: `${section}.gates.promote.atExpiry`,
    allowed: /^remind, escalate, deny/,
  },
];

testCases(azLoss);
