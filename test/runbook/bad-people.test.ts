import { type Case, testCases } from './cases.js';

const gates = 'scenarios.corruption.gates';
const pointGate = 'roles: [database-lead]\n        expires: 10 min\n        atExpiry: escalate';
const promoteGate = 'atExpiry: remind\n        secondFactor: totp';
const ssh = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJNo2RblAqJ0xFzahrbqbXad9w8pmGq/JZCvXVw6pktY';

const people: readonly Case[] = [
  {
    what: 'more approvals than people',
    from: promoteGate,
    to: 'approvals: 2\n        atExpiry: remind',
    field: `${gates}.promote.approvals`,
    given: '2',
    allowed: 'at most 1: only database-lead can approve here',
  },
  {
    what: 'more approvals than people, even once the gate has escalated',
    from: pointGate,
    to: `approvals: 3\n        ${pointGate}`,
    field: `${gates}.point.approvals`,
    given: '3',
    allowed: 'at most 2: only on-call, database-lead can approve here',
  },
  {
    what: 'one person for two roles that must be different people',
    from: `roles: [database-lead]\n        expires: 10 min\n        ${promoteGate}`,
    to: 'from: each\n        roles: [database-lead, ledger-owner]\n        expires: 10 min\n        atExpiry: remind',
    field: `${gates}.promote.from`,
    given: '"each"',
    allowed: 'any, or a different person for each of database-lead, ledger-owner in the roster',
    before: [['roles: [database-lead]\n    contacts', 'roles: [database-lead, ledger-owner]\n    contacts']],
  },
  {
    what: 'a second factor that nobody asked has',
    from: '      totp: file:/etc/muster/secrets/database-lead-totp\n',
    to: '',
    field: `${gates}.promote.secondFactor`,
    given: '"totp"',
    allowed: 'none, or an authenticator (proofs.totp) for enough people: database-lead has none',
    at: 'secondFactor: totp',
  },
  {
    what: 'an override by a role that nobody has',
    from: 'roles: [incident-commander, security-lead]',
    to: 'roles: [incident-comander, security-lead]',
    field: 'breakGlass.roles[0]',
    given: '"incident-comander"',
    allowed: /^a role that somebody of the roster has: incident-commander, perhaps/,
  },
  {
    what: 'an override by more people than there are',
    from: 'security-lead]\n  people: 2',
    to: 'security-lead]\n  people: 3',
    field: 'breakGlass.people',
    given: '3',
    allowed: 'at most 2: only on-call, security-lead can override',
    at: 'people: 3',
  },
  {
    what: 'half of a key of OpenSSH',
    from: ssh,
    to: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAA',
    field: 'people[1].proofs.keys[0]',
    allowed: /^a whole public key/,
  },
  {
    what: 'a key of another kind than it says',
    from: ssh,
    to: ssh.replace('ssh-ed25519', 'ssh-rsa'),
    field: 'people[1].proofs.keys[0]',
    allowed: /^a whole public key/,
  },
  {
    what: 'PEM of a key that is not Ed25519',
    from: 'MCowBQYDK2VwAyEAbHShBe45et0mcd8wHK3LRvftwM7FLEKWN3Lc+8a47eg=',
    to: 'MCowBQYDK2VuAyEAbHShBe45et0mcd8wHK3LRvftwM7FLEKWN3Lc+8a47eg=',
    field: 'people[2].proofs.keys[0]',
    allowed: /PEM of an Ed25519 key$/,
    at: '- |\n          -----BEGIN',
  },
  {
    what: 'the key of somebody else',
    from: '        - |\n          -----BEGIN PUBLIC KEY-----',
    to: `        - ${ssh}\n        - |\n          -----BEGIN PUBLIC KEY-----`,
    field: 'people[2].proofs.keys[0]',
    given: /^"SHA256:/,
    allowed: 'a key that no other one has',
    at: `- ${ssh}\n        - |`,
  },
  {
    what: 'the authenticator of somebody else',
    from: 'secrets/security-lead-totp',
    to: 'secrets/database-lead-totp',
    field: 'people[2].proofs.totp',
    allowed: 'a secret that no other one has',
    at: 'totp: file:/etc/muster/secrets/database-lead-totp\n      keys:\n        - |',
  },
  {
    what: 'the damaged site as another target',
    from: 'target: recovery',
    to: 'target: recovery\n    otherTargets: [west]',
    field: 'scenarios.corruption.otherTargets[0]',
    given: '"west"',
    allowed: 'a site that is neither the damaged one, west, nor a target already',
    at: 'otherTargets: [west]',
  },
  {
    what: 'the target as another target',
    from: 'target: recovery',
    to: 'target: recovery\n    otherTargets: [recovery]',
    field: 'scenarios.corruption.otherTargets[0]',
    given: '"recovery"',
    allowed: /^a site that is neither/,
    at: 'otherTargets: [recovery]',
  },
  {
    what: 'an unknown site as another target',
    from: 'target: recovery',
    to: 'target: recovery\n    otherTargets: [north]',
    field: 'scenarios.corruption.otherTargets[0]',
    given: '"north"',
    allowed: /^a site of sites: /,
    at: 'otherTargets: [north]',
  },
];

testCases(people);
