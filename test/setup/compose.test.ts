import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PARTS } from '../../setup/parts.mjs';
import { composeProblems, filesBelow, isPinned, readCompose } from './compose-rules.js';

const text = readFileSync('docker-compose.yml', 'utf8');
const demonstration = readFileSync('deploy/demonstration.env', 'utf8');

test('docker-compose.yml keeps the rules', () => {
  expect(composeProblems(text, demonstration, '.')).toEqual([]);
});

test('it brings up every part', () => {
  expect(Object.keys(readCompose(text).services).sort()).toEqual([
    'certificates',
    'dns',
    'dns-zone',
    'route53',
    's3-east',
    's3-west',
    'store',
    'store-schema',
    'temporal',
    'temporal-database',
    'temporal-ui',
    'worker',
  ]);
});

test.each([
  [
    'image: temporalio/ui:2.42.1',
    'image: temporalio/ui:latest',
    'temporal-ui: image temporalio/ui:latest is not pinned',
  ],
  ['image: temporalio/ui:2.42.1', 'image: temporalio/ui', 'temporal-ui: image temporalio/ui is not pinned'],
  ['127.0.0.1:7233:7233', '7233:7233', 'temporal: publishes 7233:7233, not on 127.0.0.1 only'],
  [
    '127.0.0.1:7233:7233',
    '0.0.0.0:7233:7233',
    'temporal: publishes 0.0.0.0:7233:7233, not on 127.0.0.1 only',
  ],
  ['127.0.0.1:7233:7233', '127.0.0.1:8233:7233', 'temporal-ui: publishes 8233/tcp, and so does temporal'],
  [
    '      store-schema:\n',
    '      store-schemas:\n',
    'worker: depends on store-schemas, which is no service',
  ],
  ['  store:\n  worker-home:', '  worker-home:', 'store: uses store, which is not declared under volumes'],
  ['  worker-home:\n\n', '  worker-home:\n  attic:\n\n', 'volumes: nobody uses attic'],
  [
    '  temporal:\n    internal',
    '  temporals:\n    internal',
    'temporal: uses temporal, which is not declared under networks',
  ],
  [
    '  store-password:\n',
    '  stored-password:\n',
    'worker: uses store-password, which is not declared under secrets',
  ],
  ['./runbooks:/opt', './playbooks:/opt', 'worker: mounts ./playbooks, which does not exist'],
  ['./runbooks:/opt', '/etc:/opt', 'worker: mounts /etc, which is outside the repository'],
  ['runbooks:/opt/muster/runbooks:ro', 'runbooks:/opt/muster/runbooks', 'worker: may write to ./runbooks'],
  [
    'deploy/dns/Dockerfile',
    'deploy/dns/Containerfile',
    'dns: is built from deploy/dns/Containerfile, which does not exist',
  ],
  [
    "'deploy/store/prepare-store.mjs'",
    "'deploy/store/gone.mjs'",
    'store-schema: starts deploy/store/gone.mjs, which does not exist',
  ],
  ['    stop_grace_period: 45s', '    stop_grace: 45s', 'worker: stop_grace is no key of a service'],
  ['\nsecrets:\n', '\nsecret:\n', 'secret: no such key'],
  [
    "    healthcheck:\n      test: ['CMD', 'node'",
    "    labels:\n      test: ['CMD', 'node'",
    'worker: runs on and has no health check',
  ],
  [
    '    healthcheck:\n      # What dig says',
    '    labels:\n      # What dig says',
    'worker: waits for dns to be healthy, which has no health check',
  ],
  [
    '  store-schema:\n    build',
    '  store-schema:\n    restart: always\n    build',
    'worker: waits for store-schema to end, which is started again',
  ],
  [
    '  route53:\n    <<: *restart',
    '  route53:\n    <<: *restart\n    depends_on:\n      dns:\n        condition: service_healthy',
    'dns: depends on itself by way of dns-zone',
  ],
  [
    'POSTGRES_PASSWORD_FILE: /run/secrets/store-owner-password',
    'POSTGRES_PASSWORD: muster',
    'store: POSTGRES_PASSWORD has its value in the file',
  ],
  ['${MUSTER_S3_SECRET:?', '${MUSTER_S3_SECRET:-', 'is not demanded with :?'],
  [
    'environment: MUSTER_S3_SECRET',
    'file: ./deploy/secret',
    'secrets: s3-secret does not come from the environment',
  ],
  [
    'environment: MUSTER_ROUTE53_SECRET',
    'environment: MUSTER_R53_SECRET',
    'MUSTER_R53_SECRET is not in deploy/demonstration.env',
  ],
])('%j made %j is found', (before, after, problem) => {
  expect(text).toContain(before);
  const problems = composeProblems(text.replace(before, after), demonstration, '.');
  expect(problems).toContainEqual(expect.stringContaining(problem));
});

test('demonstration values show what they are, and none is left over', () => {
  const found = composeProblems(text, `${demonstration}MUSTER_OTHER=hunter2\n`, '.');
  expect(found).toEqual([
    'deploy/demonstration.env: nobody uses MUSTER_OTHER',
    'deploy/demonstration.env: MUSTER_OTHER looks like a real secret',
  ]);
});

test('what is pinned', () => {
  expect(
    ['a/b:1.2', 'a:v1.2.3', 'a:15.2-bookworm', `a@sha256:${'0'.repeat(64)}`].map(isPinned),
  ).not.toContain(false);
  expect(['a', 'a:latest', 'a:15', 'a:bookworm', 'host:5000/a'].map(isPinned)).not.toContain(true);
});

test('containers have the versions that the set-up pins', () => {
  const images = Object.values(readCompose(text).services).map((service) => service.image);
  expect(images).toContain(`versity/versitygw:v${PARTS.versitygw?.version}`);
  expect(images).toContain(`muster-dns:${PARTS.coredns?.version}`);
  expect(images).toContain(`muster-route53:${PARTS.ministack?.version}`);
  const file = (name: string) => readFileSync(path.join('deploy', name), 'utf8');
  expect(file('dns/Dockerfile')).toContain(`FROM coredns/coredns:${PARTS.coredns?.version} `);
  expect(file('route53/Dockerfile')).toContain(`ministack==${PARTS.ministack?.version} `);
  for (const { install } of Object.values(PARTS).filter((spec) => spec.testsOnly !== true)) {
    if (install.kind !== 'debian') continue;
    for (const name of install.packages)
      expect(file('worker/Dockerfile')).toMatch(new RegExp(`\\s${name}\\s`));
  }
});

test('every file under deploy is used by a container', () => {
  const everything = [
    text,
    ...['worker', 'dns', 'route53'].map((name) => readFileSync(`deploy/${name}/Dockerfile`, 'utf8')),
  ];
  const unused = filesBelow('deploy').filter(
    (name) => !everything.some((it) => it.includes(`deploy/${name}`)),
  );
  expect(unused).toEqual([]);
});
