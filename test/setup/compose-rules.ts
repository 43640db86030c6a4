/**
 * What makes docker-compose.yml valid and safe, checked without a container engine: the compose specification's rules on
 * references between its parts, and Muster's own on pinned images, loopback, health and secrets.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';

type Strings = Readonly<Record<string, string>>;

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: string | readonly string[];
  readonly environment?: Strings;
  readonly restart?: string;
  readonly networks?: readonly string[];
  readonly network_mode?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test?: readonly string[] };
}

export interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks?: Readonly<Record<string, unknown>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
  readonly secrets?: Readonly<Record<string, { readonly environment?: string; readonly file?: string }>>;
}

// https://github.com/compose-spec/compose-spec/blob/main/spec.md, those that are in use or likely to be.
const TOP_LEVEL = ['name', 'services', 'networks', 'volumes', 'secrets', 'configs'];
const SERVICE_KEYS = [
  ...[
    'build',
    'cap_add',
    'cap_drop',
    'command',
    'configs',
    'depends_on',
    'entrypoint',
    'environment',
    'env_file',
  ],
  ...['expose', 'extra_hosts', 'healthcheck', 'hostname', 'image', 'init', 'labels', 'logging', 'mem_limit'],
  ...['network_mode', 'networks', 'ports', 'profiles', 'read_only', 'restart', 'secrets', 'security_opt'],
  ...['stop_grace_period', 'stop_signal', 'tmpfs', 'ulimits', 'user', 'volumes', 'working_dir'],
];

export function readCompose(text: string): Compose {
  return parse(text, { merge: true }) as Compose;
}

/** @returns one sentence for everything that is wrong; nothing when all is well */
export function composeProblems(text: string, demonstration: string, root: string): string[] {
  const compose = readCompose(text);
  return [
    ...Object.keys(compose)
      .filter((key) => !TOP_LEVEL.includes(key) && !key.startsWith('x-'))
      .map((key) => `${key}: no such key`),
    ...Object.entries(compose.services).flatMap(([name, service]) => [
      ...serviceProblems(service, root).map((problem) => `${name}: ${problem}`),
      ...dependencyProblems(name, compose).map((problem) => `${name}: ${problem}`),
    ]),
    ...declarationProblems(compose),
    ...portProblems(compose),
    ...variableProblems(text, compose, demonstration),
  ];
}

function serviceProblems(service: Service, root: string): string[] {
  const problems = Object.keys(service)
    .filter((key) => !SERVICE_KEYS.includes(key))
    .map((key) => `${key} is no key of a service`);
  if (service.image === undefined) problems.push('has no image');
  else if (!isPinned(service.image)) problems.push(`image ${service.image} is not pinned`);
  if (service.build !== undefined) problems.push(...dockerfileProblems(service.build, root));
  if (service.restart !== undefined && service.healthcheck?.test === undefined) {
    problems.push('runs on and has no health check');
  }
  for (const volume of service.volumes ?? []) {
    const [source = '', , mode] = volume.split(':');
    if (!/^[./~]/.test(source)) continue;
    if (!source.startsWith('./')) problems.push(`mounts ${source}, which is outside the repository`);
    else if (!existsSync(path.join(root, source))) problems.push(`mounts ${source}, which does not exist`);
    if (mode !== 'ro') problems.push(`may write to ${source}`);
  }
  const words = typeof service.command === 'string' ? service.command.split(' ') : (service.command ?? []);
  for (const word of [...words, ...(service.healthcheck?.test ?? [])].filter((it) =>
    it.startsWith('deploy/'),
  )) {
    if (!existsSync(path.join(root, word))) problems.push(`starts ${word}, which does not exist`);
  }
  for (const [key, value] of Object.entries(service.environment ?? {})) {
    if (!/PASS|PWD|SECRET|KEY_ID/.test(key) || key.endsWith('_FILE')) continue;
    if (!/^(\$\{|file:)/.test(value)) problems.push(`${key} has its value in the file`);
  }
  return problems;
}

/** A tag that names a version, or a digest. */
export function isPinned(image: string): boolean {
  if (/@sha256:[0-9a-f]{64}$/.test(image)) return true;
  return /:v?\d+(\.\d+)+(-[\w.-]+)?$/.test(image);
}

function dockerfileProblems(build: { context: string; dockerfile: string }, root: string): string[] {
  const file = path.join(root, build.dockerfile);
  if (!existsSync(file)) return [`is built from ${build.dockerfile}, which does not exist`];
  const problems: string[] = [];
  const text = readFileSync(file, 'utf8').replaceAll('\\\n', ' ');
  const ignored = ignoredIn(root);
  for (const [, image] of text.matchAll(/^FROM\s+(\S+)/gm)) {
    if (image !== undefined && !isPinned(image)) problems.push(`${build.dockerfile}: ${image} is not pinned`);
  }
  for (const [, operands = ''] of text.matchAll(/^COPY\s+(?!--from)(.+)$/gm)) {
    for (const source of operands.trim().split(/\s+/).slice(0, -1)) {
      if (!existsSync(path.join(root, source))) {
        problems.push(`${build.dockerfile}: copies ${source}, which does not exist`);
      } else if (ignored(source))
        problems.push(`${build.dockerfile}: copies ${source}, which .dockerignore keeps out`);
    }
  }
  return problems;
}

function ignoredIn(root: string): (source: string) => boolean {
  const kept = readFileSync(path.join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1));
  return (source) => !kept.some((entry) => source === entry || source.startsWith(`${entry}/`));
}

function dependencyProblems(name: string, { services }: Compose): string[] {
  const problems: string[] = [];
  for (const [needed, { condition }] of Object.entries(services[name]?.depends_on ?? {})) {
    const service = services[needed];
    if (service === undefined) problems.push(`depends on ${needed}, which is no service`);
    else if (condition === 'service_healthy' && service.healthcheck === undefined) {
      problems.push(`waits for ${needed} to be healthy, which has no health check`);
    } else if (condition === 'service_completed_successfully' && service.restart !== undefined) {
      problems.push(`waits for ${needed} to end, which is started again`);
    }
    if (reaches(needed, name, services)) problems.push(`depends on itself by way of ${needed}`);
  }
  return problems;
}

function reaches(from: string, to: string, services: Compose['services'], seen = new Set<string>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return Object.keys(services[from]?.depends_on ?? {}).some((next) => reaches(next, to, services, seen));
}

function declarationProblems(compose: Compose): string[] {
  const problems: string[] = [];
  const services = Object.entries(compose.services);
  const kinds = {
    networks: (service: Service) => service.networks ?? [],
    secrets: (service: Service) => service.secrets ?? [],
    volumes: (service: Service) =>
      (service.volumes ?? [])
        .map((volume) => volume.split(':')[0] ?? '')
        .filter((source) => /^\w/.test(source)),
  };
  for (const [kind, usedBy] of Object.entries(kinds) as [
    keyof typeof kinds,
    (service: Service) => string[],
  ][]) {
    const declared = Object.keys(compose[kind] ?? {});
    const used = new Set<string>();
    for (const [name, service] of services) {
      for (const entry of usedBy(service)) {
        used.add(entry);
        if (!declared.includes(entry))
          problems.push(`${name}: uses ${entry}, which is not declared under ${kind}`);
      }
    }
    for (const entry of declared.filter((it) => !used.has(it)))
      problems.push(`${kind}: nobody uses ${entry}`);
  }
  for (const [name, { networks, network_mode: mode }] of services) {
    if ((networks ?? []).length === 0 && mode === undefined)
      problems.push(`${name}: is in no network of its own`);
  }
  return problems;
}

function portProblems({ services }: Compose): string[] {
  const problems: string[] = [];
  const taken = new Map<string, string>();
  for (const [name, service] of Object.entries(services)) {
    for (const port of service.ports ?? []) {
      const match = /^127\.0\.0\.1:(\d+):\d+(\/udp|\/tcp)?$/.exec(String(port));
      if (match === null) problems.push(`${name}: publishes ${port}, not on 127.0.0.1 only`);
      const place = `${match?.[1]}${match?.[2] ?? '/tcp'}`;
      const other = taken.get(place);
      if (other !== undefined) problems.push(`${name}: publishes ${place}, and so does ${other}`);
      taken.set(place, name);
    }
  }
  return problems;
}

function variableProblems(text: string, compose: Compose, demonstration: string): string[] {
  const problems: string[] = [];
  const given = new Map(
    [...demonstration.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
  const code = text.replace(/^\s*#.*$/gm, '');
  const used = new Set<string>();
  for (const [whole, name = '', rest = ''] of code.matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)) {
    used.add(name);
    if (!rest.startsWith(':?')) problems.push(`${whole}: is not demanded with :?`);
  }
  for (const [name, secret] of Object.entries(compose.secrets ?? {})) {
    if (secret.environment === undefined)
      problems.push(`secrets: ${name} does not come from the environment`);
    else used.add(secret.environment);
  }
  for (const name of used) if (!given.has(name)) problems.push(`${name} is not in deploy/demonstration.env`);
  for (const [name, value] of given) {
    if (!used.has(name)) problems.push(`deploy/demonstration.env: nobody uses ${name}`);
    if (!value.startsWith('demonstration'))
      problems.push(`deploy/demonstration.env: ${name} looks like a real secret`);
  }
  return problems;
}

/** Files below a folder, relative to it. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    statSync(path.join(folder, file)).isFile(),
  );
}
