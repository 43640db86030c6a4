import { partNames } from '../../setup/parts.mjs';
import { planSetup } from '../../setup/plan.mjs';
import { facilities, machine } from './support.js';

const ALL = partNames({ tests: true });
const ids = (plan: { jobs: readonly { id: string }[] }) => plan.jobs.map((job) => job.id);

test('nothing missing, nothing to do', () => {
  expect(planSetup([], facilities(), machine())).toEqual({ jobs: [], impossible: [] });
});

test('root installs all system packages in one call, and builds the rest into the cache', () => {
  const plan = planSetup(ALL, facilities({ privilege: 'root' }), machine({ root: true, cacheDir: '/c' }));
  expect(plan.impossible).toEqual([]);
  const system = plan.jobs.find((job) => job.id === 'system');
  expect(system?.command).toBe(
    'apt-get install -y --no-install-recommends postgresql-15 postgresql-client-15 pgbackrest bind9-dnsutils openssl openssh-client chromium',
  );
  expect(system?.prefix).toEqual([]);
  const temporal = plan.jobs.find((job) => job.id === 'temporal');
  expect(temporal).toMatchObject({ kind: 'go', lane: 'go', target: '/c/temporal-1.5.1', needs: [] });
  expect(ids(plan).sort()).toEqual(['coredns', 'ministack', 'system', 'temporal', 'versitygw']);
});

test('builds run one after another, beside everything else', () => {
  const plan = planSetup(
    ALL,
    facilities({ privilege: 'root', nodeModulesCurrent: false }),
    machine({ root: true }),
  );
  const lanes = Object.fromEntries(plan.jobs.map((job) => [job.id, job.lane]));
  expect(new Set([lanes.temporal, lanes.coredns, lanes.versitygw])).toEqual(new Set(['go']));
  expect(new Set([lanes.go, lanes['node-modules'], lanes.system, lanes.ministack]).has('go')).toBe(false);
});

test('sudo is used where it asks nothing', () => {
  const plan = planSetup(['pgbackrest'], facilities({ privilege: 'sudo' }), machine());
  expect(plan.jobs).toMatchObject([{ id: 'system', prefix: ['sudo', '-n'] }]);
});

test('without rights each package is unpacked into the cache', () => {
  const plan = planSetup(
    ['postgresql', 'pgbackrest', 'dig', 'nsupdate'],
    facilities(),
    machine({ cacheDir: '/c' }),
  );
  expect(plan.jobs).toMatchObject([
    { id: 'postgresql', kind: 'debian-private', target: '/c/postgresql-15-debian12' },
    { id: 'pgbackrest', kind: 'debian-private', target: '/c/pgbackrest-2.45-debian12' },
    {
      id: 'dnsutils',
      kind: 'debian-private',
      parts: ['dig', 'nsupdate'],
      target: '/c/dnsutils-9.18-debian12',
    },
  ]);
  // One after another: they share the state of apt.
  expect(new Set(plan.jobs.map((job) => job.lane)).size).toBe(1);
});

test('without Go, one is brought first; without Python, its packages before that', () => {
  const bare = { go: null, python: null, pythonHasPip: false, privilege: 'root' } as const;
  const plan = planSetup(['coredns'], facilities(bare), machine({ root: true }));
  expect(plan.jobs).toMatchObject([
    { id: 'system', packages: ['python3', 'python3-venv'], needs: [] },
    { id: 'go', kind: 'python', needs: ['system'] },
    { id: 'coredns', needs: ['go'] },
  ]);
});

test('a Python without pip is enough for an account without rights, where packages can be unpacked', () => {
  const plan = planSetup(['ministack'], facilities({ pythonHasPip: false }), machine());
  expect(plan.jobs).toMatchObject([{ id: 'ministack', kind: 'python', needs: [] }]);
});

test('what cannot be had is named with the command that brings it, and the rest is still done', () => {
  const poor = facilities({ apt: false, python: null, pythonHasPip: false, go: null });
  const plan = planSetup(ALL, poor, machine({ osId: 'fedora' }));
  expect(plan.jobs).toEqual([]);
  expect(plan.impossible.map(({ part }) => part).sort()).toEqual([...ALL].sort());
  const command = (name: string) => plan.impossible.find(({ part }) => part === name)?.command;
  expect(command('postgresql')).toBe(
    'sudo apt-get install -y --no-install-recommends postgresql-15 postgresql-client-15',
  );
  for (const { part, why } of plan.impossible) expect(`${part}: ${why}`).toMatch(/MUSTER_[A-Z]+/);

  const withGo = planSetup(ALL, facilities({ apt: false }), machine({ osId: 'fedora' }));
  expect(ids(withGo).sort()).toEqual(['coredns', 'ministack', 'temporal', 'versitygw']);
});

test('root without the account that PostgreSQL runs under gets one, unless the packages make it', () => {
  const lacking = facilities({ privilege: 'root', postgresAccount: false });
  expect(ids(planSetup([], lacking, machine({ root: true })))).toEqual(['postgres-account']);
  expect(ids(planSetup(['postgresql'], lacking, machine({ root: true })))).toEqual(['system']);
  expect(ids(planSetup([], facilities({ postgresAccount: false }), machine()))).toEqual([]);
});
