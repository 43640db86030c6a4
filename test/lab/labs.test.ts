import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtProgram } from '../../lab/built.js';
import { downLab } from '../../lab/down.js';
import { portOf } from '../../lab/ports.js';
import { isRunning, startMarkOf } from '../../lab/process.js';
import type { LabState } from '../../lab/state.js';
import { upLab } from '../../lab/world.js';
import { partsFile } from '../../src/parts.js';
import { eventually } from '../support/eventually.js';
import { labFolder, SMALL } from '../support/lab.js';

const silent = { log: () => undefined };
const folders: string[] = [];

function folder(): string {
  const path = labFolder();
  folders.push(path);
  return path;
}

afterAll(async () => {
  for (const path of folders) {
    await downLab(path, silent).catch(() => undefined);
    await rm(path, { recursive: true, force: true });
  }
}, 60_000);

/** Processes that live in a folder or were started with a path in it. */
async function processesIn(path: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (command.includes(path) || cwd.startsWith(path)) found.push(command.replaceAll('\0', ' '));
  }
  return found;
}

function endpointsOf({ ledger, regions, dns, payymo, store, temporal }: LabState): string[] {
  const local = [
    regions.west.endpoint,
    regions.east.endpoint,
    dns.route53Endpoint,
    dns.resolver,
    payymo.appUrl,
  ];
  const more = [payymo.clientUrl, temporal.address, temporal.uiUrl, temporal.httpUrl, `:${store.port}`];
  const sites = Object.values(ledger.sites).map(({ address, port }) => `${address}:${port}`);
  return [...[...local, ...more].map((address) => `127.0.0.1:${portOf(address)}`), ...sites];
}

const sequenceAt = async (state: LabState): Promise<number> => {
  const answer = await fetch(`${state.payymo.appUrl}/health`);
  return ((await answer.json()) as { lastSequence: number }).lastSequence;
};

test('two labs made at once from one seed stand side by side; one goes, the other stays', async () => {
  const cache = folder();
  await mkdir(cache);
  const before = { cache: process.env.XDG_CACHE_HOME, parts: process.env.MUSTER_PARTS };
  process.env.MUSTER_PARTS = partsFile();
  process.env.XDG_CACHE_HOME = cache;
  const size = { transactions: 500, sizeBytes: 0 };
  const [first, second] = [folder(), folder()];
  const up = (dir: string) => upLab({ dir, size, worker: 'none', ...silent });
  const starting = up(first);
  await expect(up(first)).rejects.toThrow('is starting or stopping the lab');
  const [one, two] = await Promise.all([starting, up(second)]);
  restore('XDG_CACHE_HOME', before.cache);
  restore('MUSTER_PARTS', before.parts);

  expect(await readdir(join(cache, 'muster'))).toEqual([`seed-${one.seed.key}`]);
  const all = [...endpointsOf(one), ...endpointsOf(two)];
  expect(new Set(all).size).toBe(all.length);
  expect(await sequenceAt(one)).toBeGreaterThan(500);
  expect(await sequenceAt(two)).toBeGreaterThan(500);

  expect(await downLab(second, silent)).toBe(true);
  expect(await processesIn(second)).toEqual([]);
  expect(Object.values(two.parts).filter(isRunning)).toEqual([]);
  await expect(readdir(second)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(Object.values(one.parts).every(isRunning)).toBe(true);
  expect(await sequenceAt(one)).toBeGreaterThan(500);
  expect(await downLab(first, silent)).toBe(true);
  expect(await downLab(first, silent)).toBe(false);
}, 180_000);

test('when a part cannot start, says why in its own words and leaves nothing running', async () => {
  const dir = folder();
  const broken = folder();
  await mkdir(broken);
  const program = join(broken, 'coredns');
  await writeFile(program, '#!/bin/sh\necho no answers today >&2\nexit 1\n');
  await chmod(program, 0o755);
  const parts = JSON.parse(await readFile(partsFile(), 'utf8'));
  parts.parts.coredns.path = program;
  await writeFile(join(broken, 'parts.json'), JSON.stringify(parts));
  const before = process.env.MUSTER_PARTS;
  process.env.MUSTER_PARTS = join(broken, 'parts.json');
  const failed = upLab({ dir, size: SMALL, worker: 'none', ...silent });
  await expect(failed).rejects.toThrow(/dns ended right after its start\.[\s\S]*no answers today/);
  restore('MUSTER_PARTS', before);
  expect(await processesIn(dir)).toEqual([]);
  expect(JSON.parse(await readFile(join(dir, 'state.json'), 'utf8')).parts).toEqual({});

  const state = await upLab({ dir, size: SMALL, worker: 'none', ...silent });
  expect(await sequenceAt(state)).toBeGreaterThan(0);
}, 180_000);

test('interrupted while it makes a seed, leaves neither processes nor folders', async () => {
  const dir = folder();
  const cache = folder();
  await mkdir(cache);
  const child = spawn(process.execPath, [builtProgram('lab/cli.js'), 'up', '30000'], {
    stdio: 'ignore',
    env: { ...process.env, MUSTER_LAB: dir, XDG_CACHE_HOME: cache, MUSTER_PARTS: partsFile() },
  });
  const ended = once(child, 'exit');
  await eventually(async () => {
    const running = await processesIn(`${dir}.seed-`);
    expect(running.some((command) => command.includes('versitygw'))).toBe(true);
  });
  child.kill('SIGINT');
  expect(await ended).toEqual([null, 'SIGINT']);
  expect(await processesIn(`${dir}.seed-`)).toEqual([]);
  const siblings = await readdir(join(dir, '..'));
  expect(siblings.filter((name) => join(dir, '..', name).startsWith(`${dir}.`))).toEqual([]);
  expect(await downLab(dir, silent)).toBe(true);
}, 60_000);

test('never ends a process that only has the number of one of its own', async () => {
  const dir = folder();
  await mkdir(dir);
  const stranger = spawn('sleep', ['300'], { stdio: 'ignore' });
  const pid = stranger.pid as number;
  try {
    await writeFile(join(dir, '.muster-lab'), '');
    const part = {
      pid,
      startMark: '00000000-1',
      address: '',
      logFile: '',
      startedAt: '',
      stopSignal: 'SIGKILL',
    };
    await writeFile(join(dir, 'state.json'), JSON.stringify({ schemaVersion: 4, parts: { dns: part } }));
    expect(await downLab(dir, silent)).toBe(true);
    expect(startMarkOf(pid)).toBeDefined();
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('leaves a folder alone that is not a lab', async () => {
  const dir = folder();
  await mkdir(dir);
  await writeFile(join(dir, 'precious'), 'data');
  await expect(downLab(dir, silent)).rejects.toThrow('is not a lab');
  await expect(upLab({ dir, ...silent })).rejects.toThrow('exists and is not a lab');
  expect(await readdir(dir)).toEqual(['precious']);
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
