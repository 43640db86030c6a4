import { type Case, testCases } from './cases.js';

const east = 'region: us-east-1\n    failureDomain: us-east-1/us-east-1a';

const cases: readonly Case[] = [
  {
    what: 'a region that is left for itself',
    from: 'lost: west\n    target: east\n',
    to: 'lost: west\n    target: recovery\n',
    field: 'scenarios.regionalLoss.target',
    given: 'recovery, in us-west-2',
    allowed: 'a site outside of us-west-2, which is lost',
    at: 'target: recovery\n    backup: ledger\n    files',
  },
  {
    what: 'a target whose failure domain lies in the lost region',
    from: east,
    to: 'region: us-east-1\n    failureDomain: us-west-2/us-west-2d',
    field: 'scenarios.regionalLoss.target',
    allowed: /outside of us-west-2/,
    at: 'target: east\n',
  },
  {
    what: 'a vault that is lost with the region',
    from: 'vault:\n  region: us-east-1\n  failureDomain: us-east-1',
    to: 'vault:\n  region: us-west-2\n  failureDomain: us-west-2',
    field: 'vault.failureDomain',
    allowed: /outside of us-west-2, which is lost: regionalLoss needs the vault/,
    at: 'failureDomain: us-west-2\n  bucket: payymo-muster-vault',
  },
  {
    what: 'backups that are all lost with the region',
    from: 'failureDomain: us-east-1\n        cipher',
    to: 'failureDomain: us-west-2/us-west-2c\n        cipher',
    field: 'backups.ledger.repositories',
    allowed: 'a copy outside of us-west-2, which is lost',
    at: 'repositories:',
  },
  {
    what: 'files whose copy is lost with the region',
    from: '    secondary:\n      region: us-east-1\n      failureDomain: us-east-1\n',
    to: '    secondary:\n      region: us-west-2\n      failureDomain: us-west-2-b\n',
    field: 'objects.statements.secondary',
    allowed: /outside of us-west-2/,
  },
  {
    what: 'files of a store that there is not',
    from: 'files: [statements]',
    to: 'files: [statement]',
    field: 'scenarios.regionalLoss.files[0]',
    allowed: /statements/,
  },
  {
    what: 'infrastructure that there is not',
    from: '    files: [statements]\n',
    to: '    files: [statements]\n    infrastructure: south\n',
    field: 'scenarios.regionalLoss.infrastructure',
    allowed: /one of infrastructure/,
    at: 'infrastructure: south',
  },
  {
    what: 'files that are lost from a store that there is not',
    from: 'store: statements\n',
    to: 'store: statement\n',
    field: 'scenarios.objectLoss.store',
    allowed: /statements, perhaps/,
  },
  {
    what: 'rows of a site that there is not',
    from: 'store: statements\n    database: west\n',
    to: 'store: statements\n    database: north\n',
    field: 'scenarios.objectLoss.database',
    allowed: /a site of sites/,
    at: 'database: north',
  },
  {
    what: 'files that no row names',
    from: '    references:\n      table: ledger.statements\n      key: key\n      bytes: bytes\n      sha256: sha256\n',
    to: '',
    field: 'objects.statements.references',
    allowed: /the rows that name the files: objectLoss/,
    at: 'statements:\n    driver',
  },
];

testCases(cases);
