import { type Case, testCases } from './cases.js';

const failback = 'scenarios.failback';
const backupLoss = 'scenarios.backupLoss';

const cases: readonly Case[] = [
  {
    what: 'a home that is not the primary site',
    from: 'home: west\n    from: recovery',
    to: 'home: standby\n    from: recovery',
    field: `${failback}.home`,
    allowed: /^the site with the role primary; standby has the role standby/,
  },
  {
    what: 'a way home that ends where it begins',
    from: 'home: west\n    from: recovery',
    to: 'home: west\n    from: west',
    field: `${failback}.from`,
    allowed: /^another site than west, where the system goes/,
    at: 'from: west',
  },
  {
    what: 'a place that is left twice',
    from: 'otherFrom: [standby, east]\n    slot',
    to: 'otherFrom: [standby, recovery]\n    slot',
    field: `${failback}.otherFrom[1]`,
    allowed: /^a site that is not named before: recovery is/,
    at: 'otherFrom: [standby, recovery]',
  },
  {
    what: 'a standby at home without a slot',
    from: 'otherFrom: [standby, east]\n    slot: muster_home',
    to: 'otherFrom: [standby, east]',
    field: `${failback}.slot`,
    allowed: /^the replication slot that the standby at home follows with/,
    at: 'failback:',
  },
  {
    what: 'a switchover because nobody answered',
    from: 'expires: 30 min\n        atExpiry: remind\n        secondFactor: totp',
    to: 'expires: 30 min\n        atExpiry: proceed\n        secondFactor: totp',
    field: `${failback}.gates.switchover.atExpiry`,
    allowed: /^remind, escalate, deny/,
    at: 'atExpiry: proceed',
  },
  {
    what: 'copies that are tried over the standby',
    from: 'standby: standby\n    target: recovery',
    to: 'standby: recovery\n    target: recovery',
    field: `${backupLoss}.standby`,
    allowed: /^a third site: west is damaged, copies are tried at recovery/,
  },
  {
    what: 'copies that are tried over the damaged server',
    from: 'standby: standby\n    target: recovery',
    to: 'standby: standby\n    target: west',
    field: `${backupLoss}.target`,
    allowed: /^another site than the damaged one/,
    at: 'target: west',
  },
];

testCases(cases);
