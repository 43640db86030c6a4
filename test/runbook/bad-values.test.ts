import { type Case, good, lineOf, problemsOf, testCases } from './cases.js';

const schema: readonly Case[] = [
  {
    what: 'a duration in long words',
    from: 'rto: 6 h',
    to: 'rto: 6 hours',
    field: 'objectives.components.database.rto',
    given: '"6 hours"',
    allowed: /^a duration: a number and one of ms, s, min, h, d/,
  },
  {
    what: 'a number where a duration is due',
    from: 'expires: 10 min',
    to: 'expires: 10',
    field: 'scenarios.corruption.gates.point.expires',
    given: '10',
    allowed: /^a duration/,
  },
  {
    what: 'an unknown field near a known one',
    from: '      backupConfig: /etc/pgbackrest/ledger-west.conf',
    to: '      backup_config: /etc/pgbackrest/ledger-west.conf',
    field: 'sites.west.postgres.backup_config',
    given: 'the unknown field "backup_config"',
    allowed: /^backupConfig, perhaps; known here: host, port/,
  },
  {
    what: 'an unknown section',
    from: 'tier: 1',
    to: 'tier: 1\nnotify: []',
    field: 'notify',
    allowed: /^system, title, description/,
    at: 'notify',
  },
  {
    what: 'a merge key',
    from: '    core-api:\n      rto: 4 h',
    to: '    core-api:\n      <<: { rto: 4 h }',
    field: 'objectives.components.core-api.<<',
    allowed: /merge keys/,
    at: '<<',
  },
  {
    what: 'a field that is missing',
    from: '    title: Payymo payments ledger\n'.trimStart(),
    to: '',
    field: 'title',
    given: 'nothing',
    allowed: 'text',
    at: 'system: payymo',
  },
  {
    what: 'a field that is empty',
    from: 'title: Payymo payments ledger',
    to: 'title:',
    field: 'title',
    given: 'nothing (the field is empty)',
    allowed: 'text',
  },
  {
    what: 'a field missing in an item of a list',
    from: '  - name: on-call\n    roles: [incident-commander]',
    to: '  - name: on-call',
    field: 'people[0].roles',
    given: 'nothing',
    allowed: /^a list/,
    at: '- name: on-call',
  },
  {
    what: 'a value outside of an enumeration',
    from: 'role: primary',
    to: 'role: main',
    field: 'sites.west.role',
    given: '"main"',
    allowed: 'primary, standby, recovery, sandbox',
  },
  {
    what: 'a driver that there is none of',
    from: 'driver: pgbackrest',
    to: 'driver: barman',
    field: 'backups.ledger.driver',
    given: '"barman"',
    allowed: 'pgbackrest, archive',
  },
  {
    what: 'a port as text',
    from: 'port: 5432',
    to: "port: '5432'",
    field: 'sites.west.postgres.port',
    given: '"5432"',
    allowed: 'a whole number from 1 to 65535',
  },
  {
    what: 'a port out of range',
    from: 'port: 5432',
    to: 'port: 54320000',
    field: 'sites.west.postgres.port',
    given: '54320000',
    allowed: 'a whole number from 1 to 65535',
  },
  {
    what: 'text where true or false is due',
    from: 'readOnly: true',
    to: 'readOnly: yes',
    field: 'applications.core-api.functions[0].readOnly',
    given: '"yes"',
    allowed: /^true or false/,
  },
  {
    what: 'a text where a list is due',
    from: 'roles: [database-lead]\n        expires',
    to: 'roles: database-lead\n        expires',
    field: 'scenarios.corruption.gates.point.roles',
    given: '"database-lead"',
    allowed: /^a list/,
    at: 'roles: database-lead',
  },
  {
    what: 'an empty list',
    from: 'roles: [database-lead]\n        expires',
    to: 'roles: []\n        expires',
    field: 'scenarios.corruption.gates.point.roles',
    given: 'an empty list',
    allowed: /^at least 1 item/,
    at: 'roles: []',
  },
  {
    what: 'a map where a text is due',
    from: 'title: Payymo payments ledger',
    to: 'title: { de: Hauptbuch }',
    field: 'title',
    given: 'a map of fields',
    allowed: 'text',
  },
  {
    what: 'a name that is not kebab-case',
    from: '    core-api:\n      rto',
    to: '    CoreApi:\n      rto',
    field: 'objectives.components.CoreApi',
    given: 'the name "CoreApi"',
    allowed: /^a kebab-case name/,
    at: 'CoreApi',
  },
  {
    what: 'a relative path',
    from: '/var/lib/postgresql/quarantine',
    to: 'quarantine',
    field: 'sites.west.quarantineDirectory',
    given: '"quarantine"',
    allowed: /^an absolute path/,
    at: 'quarantineDirectory',
  },
  {
    what: 'a table without its schema',
    from: 'table: ledger.transactions',
    to: 'table: transactions',
    field: 'objectives.dataClasses.transactions.table',
    given: '"transactions"',
    allowed: /^schema\.table/,
  },
  {
    what: 'a URL with a login in it, which is not echoed',
    from: 'url: https://core-api.payymo.internal',
    to: 'url: https://admin:hunter2@core-api.payymo.internal',
    field: 'applications.core-api.url',
    given: '"https://***@core-api.payymo.internal"',
    allowed: /holds no login$/,
  },
  {
    what: 'a password where a reference is due, which is not echoed',
    from: 'password: file:/etc/muster/secrets/ledger-admin-password',
    to: 'password: hunter2',
    field: 'sites.west.postgres.admin.password',
    given: '7 characters, not shown: they may be a secret',
    allowed: /^a reference to a secret: env:NAME or file:/,
  },
  {
    what: 'a password that is a number, which is not echoed',
    from: 'password: file:/etc/muster/secrets/ledger-admin-password',
    to: 'password: 48151623',
    field: 'sites.west.postgres.admin.password',
    given: '8 characters, not shown: they may be a secret',
    allowed: /^a reference to a secret/,
  },
  {
    what: 'a key in place of its reference, which is not echoed',
    from: "parameters: ['file:/etc/muster/secrets/ledger-signing-key']",
    to: 'parameters: [hunter2]',
    field: 'verification.invariants[0].parameters[0]',
    given: '7 characters, not shown: they may be a secret',
    allowed: /^a reference to a secret/,
  },
];

testCases(schema);

test('the runbook that the cases are made from is good', () => {
  expect(problemsOf(good)).toEqual([]);
});

test('all problems are told at once, in the order of the lines', () => {
  const text = good
    .replace('rto: 6 h', 'rto: soon')
    .replace('role: primary', 'role: main')
    .replace('ttl: 60', 'ttl: 0');
  expect(problemsOf(text).map((problem) => problem.field)).toEqual([
    'objectives.components.database.rto',
    'sites.west.role',
    'dns.ledger.ttl',
  ]);
});

test('every copy beside the primary is refused', () => {
  const text = good
    .replace('failureDomain: us-west-2\n', 'failureDomain: us-west-2/us-west-2a\n')
    .replace(
      'failureDomain: us-east-1\n        cipher',
      'failureDomain: us-west-2/us-west-2a\n        cipher',
    );
  expect(problemsOf(text)).toEqual([
    expect.objectContaining({ field: 'backups.ledger.repositories', line: lineOf(text, 'repositories:') }),
  ]);
});

test('an alias is followed: the problem is named where the value is used', () => {
  const text = good
    .replace(
      'component: database\n      table: ledger.transactions',
      'component: &held databse\n      table: ledger.transactions',
    )
    .replace(
      'component: database\n      table: ledger.accounts',
      'component: *held\n      table: ledger.accounts',
    );
  expect(problemsOf(text).map(({ field, line }) => [field, line])).toEqual([
    ['objectives.dataClasses.transactions.component', lineOf(text, '&held')],
    ['objectives.dataClasses.accounts.component', lineOf(text, '*held')],
  ]);
});

test('something that is no map at all', () => {
  for (const text of ['', '# only a comment', 'payymo', '- system: payymo', '42']) {
    expect(problemsOf(text)).toEqual([
      expect.objectContaining({
        field: 'the whole file',
        line: 1,
        allowed: expect.stringContaining('a map with system'),
      }),
    ]);
  }
});
