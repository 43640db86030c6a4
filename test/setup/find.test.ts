import { mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findPart } from '../../setup/find.mjs';
import { askProgram, rememberingProbe } from '../../setup/manifest.mjs';
import { PARTS } from '../../setup/parts.mjs';
import { compareVersions, readVersion } from '../../setup/versions.mjs';
import { machine, program, TOOL, temporaryFolder } from './support.js';

const { probe } = rememberingProbe({});

describe('finding a part', () => {
  const here = temporaryFolder();
  const onPath = program(path.join(here, 'path', 'tool'), 'tool 1.6.2');
  const env = { PATH: path.join(here, 'path') };

  test('an override comes before the cache, the cache before PATH', () => {
    const override = program(path.join(here, 'own', 'my tool'), 'tool 1.9');
    const cached = program(
      path.join(here, 'cache', 'tool-1.5.0', 'bin', 'tool'),
      'a build that knows no version',
    );
    const cacheDir = path.join(here, 'cache');
    const empty = path.join(here, 'empty');

    const all = findPart('tool', TOOL, machine({ env: { ...env, MUSTER_TOOL: override }, cacheDir }), probe);
    expect(all.found).toMatchObject({ path: override, version: '1.9', source: 'override' });
    const two = findPart('tool', TOOL, machine({ env, cacheDir }), probe);
    expect(two.found).toMatchObject({ path: cached, version: '1.5.0', source: 'cache' });
    const one = findPart('tool', TOOL, machine({ env, cacheDir: empty }), probe);
    expect(one.found).toMatchObject({
      path: onPath,
      version: '1.6.2',
      source: 'system',
      extra: { binDir: path.dirname(onPath) },
    });
    const none = findPart('tool', TOOL, machine({ env, cacheDir: empty, useSystem: false }), probe);
    expect(none.found).toBeNull();
  });

  test('PATH is searched in its order, past versions that are not accepted', () => {
    const old = program(path.join(here, 'old', 'tool'), 'tool v1.4.9');
    const silent = program(path.join(here, 'silent', 'tool'), 'tool 0.0.0-DEV');
    const other = program(path.join(here, 'other', 'tool-by-another-name'), 'tool-1.7.0');
    const folders = ['old', 'silent', 'other', 'path'].map((name) => path.join(here, name));
    const search = findPart(
      'tool',
      TOOL,
      machine({ env: { PATH: folders.join(':') }, cacheDir: here }),
      probe,
    );
    expect(search.found?.path).toBe(other);
    expect(search.rejected).toEqual([
      `${old}, which is version 1.4.9; it takes 1.5 or later, below 2`,
      `${silent}, which does not tell its version`,
    ]);
  });

  test('a program whose companions are not beside it is passed over', () => {
    const spec = { ...TOOL, companions: ['helper'] };
    const lone = findPart('tool', spec, machine({ env, cacheDir: here }), probe);
    expect(lone).toEqual({ found: null, rejected: [`${onPath}, which lacks helper beside it`] });
  });

  test('an override that cannot be used is an error that says why', () => {
    const find = (file: string) =>
      findPart('tool', TOOL, machine({ env: { ...env, MUSTER_TOOL: file }, cacheDir: here }), probe);
    const broken = program(path.join(here, 'broken'), '');
    writeFileSync(broken, '#!/bin/sh\nexit 3\n');
    expect(() => find('/nowhere/tool')).toThrow(
      'MUSTER_TOOL names /nowhere/tool, which is not a program that can be started',
    );
    expect(() => find(program(path.join(here, 'older'), 'tool 1.2'))).toThrow(
      'which is version 1.2; it takes 1.5 or later, below 2',
    );
    expect(() => find(broken)).toThrow('which does not start');
  });

  test('what comes from packages of one release of the system is not used on another', () => {
    const spec = { ...TOOL, install: { kind: 'debian' as const, packages: ['tool'] } };
    const cacheDir = path.join(here, 'packages');
    program(path.join(cacheDir, 'tool-1.5.0-debian12', 'bin', 'tool'), 'tool 1.5.3');
    const found = (osVersion: string) =>
      findPart('tool', spec, machine({ cacheDir, osVersion, useSystem: false }), probe).found;
    expect(found('12')?.version).toBe('1.5.3');
    expect(found('13')).toBeNull();
  });
});

describe('asking a program for its version', () => {
  test('happens once as long as its file stays the same', () => {
    const file = program(path.join(temporaryFolder(), 'tool'), 'tool 1.5');
    let asked = 0;
    const ask: typeof askProgram = (path, args) => {
      asked += 1;
      return askProgram(path, args);
    };
    const first = rememberingProbe({}, ask);
    first.probe(file, TOOL);
    first.probe(file, TOOL);
    expect(asked).toBe(1);
    const second = rememberingProbe(first.probes, ask);
    expect(second.probe(file, TOOL).version).toBe('1.5');
    expect(asked).toBe(1);

    program(file, 'tool 1.8');
    const { atimeMs } = statSync(file);
    utimesSync(file, atimeMs / 1000, 1_700_000_000);
    expect(rememberingProbe(first.probes, ask).probe(file, TOOL).version).toBe('1.8');
    expect(asked).toBe(2);
  });

  test.each([
    ['temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)', '1.5.1'],
    ['temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)', null],
    ['CoreDNS-1.15.0\nlinux/amd64, go1.26.8,', '1.15.0'],
    ['Version  : git\nBuild    : norev', null],
    ['Version  : v1.8.0\nBuild    : 2026', '1.8.0'],
    ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', '15.18'],
    ['DiG 9.18.49-1~deb12u3-Debian', '9.18.49'],
    ['OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19)', '3.0.19'],
    ['OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19 27 Jan 2026', '9.2'],
  ])('%j says %s', (text, version) => {
    expect(readVersion(text)).toBe(version);
  });

  test('versions are compared number by number', () => {
    expect(compareVersions('1.10', '1.9')).toBeGreaterThan(0);
    expect(compareVersions('15', '15.0')).toBe(0);
    expect(compareVersions('2', '15')).toBeLessThan(0);
  });
});

test('every part has one pinned version, which it accepts itself', () => {
  for (const spec of Object.values(PARTS)) {
    const pins = JSON.stringify(spec.install).match(/[@=]=?v?(\d[\d.]+)/g) ?? [];
    if (spec.install.kind !== 'debian') {
      expect(pins.length).toBeGreaterThan(0);
      expect(pins).toEqual(pins.map(() => expect.stringContaining(spec.version)));
    }
    expect(compareVersions(spec.version, spec.accepts.from)).toBeGreaterThanOrEqual(0);
    expect(compareVersions(spec.version, spec.accepts.below)).toBeLessThan(0);
  }
});

test('a folder named like the program is no program', () => {
  const here = temporaryFolder();
  mkdirSync(path.join(here, 'tool'));
  const search = findPart('tool', TOOL, machine({ env: { PATH: here }, cacheDir: here }), probe);
  expect(search.found).toBeNull();
});
