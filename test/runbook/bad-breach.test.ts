import { type Case, testCases } from './cases.js';

const section = 'scenarios.breach';

const breach: readonly Case[] = [
  {
    what: 'a repository that the backup does not have',
    from: 'repositories: [2]',
    to: 'repositories: [3]',
    field: `${section}.repositories[0]`,
    allowed: /^one of the repositories of backups\.ledger/,
  },
  {
    what: 'no repository that can be trusted',
    from: '    repositories: [2]\n    backupConfig',
    to: '    backupConfig',
    field: `${section}.repositories`,
    allowed: 'those of backups.ledger that the intruder could not change',
    at: '  breach:',
  },
  {
    what: 'copies of archives where there are repositories',
    from: '    repositories: [2]\n    backupConfig',
    to: '    repositories: [2]\n    copies: [1]\n    backupConfig',
    field: `${section}.copies`,
    allowed: 'left out: backups.ledger has repositories',
    at: '    copies: [1]',
  },
  {
    what: 'evidence beside what the intruder was in',
    from: 'failureDomain: us-east-1\n      bucket: payymo-breach-evidence',
    to: 'failureDomain: us-west-2/us-west-2a\n      bucket: payymo-breach-evidence',
    field: `${section}.evidence.failureDomain`,
    allowed: /^a failure domain outside of us-west-2\/us-west-2a, which the intruder was in/,
    at: 'failureDomain: us-west-2/us-west-2a\n      bucket',
  },
  {
    what: 'a new password where an old one is',
    from: 'file:/etc/muster/secrets/ledger-app-password-renewed',
    to: 'file:/etc/muster/secrets/ledger-app-password',
    field: `${section}.credentials.application.newPassword`,
    allowed: 'another file than that of a password in use',
    at: 'newPassword: file:/etc/muster/secrets/ledger-app-password\n',
  },
  {
    what: 'one new password for two logins',
    from: 'file:/etc/muster/secrets/ledger-app-password-renewed',
    to: 'file:/etc/muster/secrets/ledger-admin-password-renewed',
    field: `${section}.credentials.application.newPassword`,
    allowed: 'a file that no other one has',
    at: 'newPassword: file:/etc/muster/secrets/ledger-admin-password-renewed\n      replication',
  },
  {
    what: 'a new password that comes from the environment',
    from: 'file:/etc/muster/secrets/ledger-app-password-renewed',
    to: 'env:NEW_PASSWORD',
    field: `${section}.credentials.application.newPassword`,
    allowed: /^where a new secret is written/,
  },
  {
    what: 'a replication login that keeps its password',
    from: '      replication:\n        newPassword: file:/etc/muster/secrets/ledger-replication-password-renewed\n',
    to: '',
    field: `${section}.credentials.replication`,
    allowed: /^the new password of ledger_replica/,
    at: 'credentials:',
  },
  {
    what: 'a baseline that takes Muster for an intruder',
    from: 'superusers: [postgres, muster]',
    to: 'superusers: [postgres]',
    field: `${section}.baseline.superusers`,
    allowed: "muster among others: Muster's own login",
  },
  {
    what: 'a security gate without a second factor',
    from: 'roles: [security-lead]\n        expires: 10 min\n        atExpiry: remind\n        secondFactor: totp',
    to: 'roles: [security-lead]\n        expires: 10 min\n        atExpiry: remind\n        secondFactor: none',
    field: `${section}.gates.security.secondFactor`,
    allowed: 'totp: passwords and keys may be stolen',
    at: 'secondFactor: none',
  },
  {
    what: 'a promotion because nobody answered',
    from: 'roles: [security-lead]\n        expires: 10 min\n        atExpiry: remind',
    to: 'roles: [security-lead]\n        expires: 10 min\n        atExpiry: proceed',
    field: `${section}.gates.security.atExpiry`,
    allowed: /^remind, escalate, deny/,
    at: 'atExpiry: proceed',
  },
];

testCases(breach);
