import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Facilities, Machine, PartSpec } from '../../setup/types.d.ts';

const folders: string[] = [];

/** A folder with a space in its name, gone after the test file. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'set up ')));
  folders.push(folder);
  return folder;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A program that says `text`. */
export function program(file: string, text: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "${text}"\n`);
  chmodSync(file, 0o755);
  return file;
}

export function machine(changes: Partial<Machine> = {}): Machine {
  return {
    root: false,
    env: {},
    home: '/home/someone',
    cacheDir: '/home/someone/.cache/muster',
    platform: 'linux',
    arch: 'x64',
    osId: 'debian',
    osVersion: '12',
    useSystem: true,
    ...changes,
  };
}

export function facilities(changes: Partial<Facilities> = {}): Facilities {
  return {
    go: '/usr/local/go/bin/go',
    python: '/usr/bin/python3',
    pythonHasPip: true,
    apt: true,
    privilege: 'none',
    postgresAccount: true,
    nodeModulesCurrent: true,
    ...changes,
  };
}

export const TOOL: PartSpec = {
  title: 'A tool',
  version: '1.5.0',
  accepts: { from: '1.5', below: '2' },
  programs: ['tool', 'tool-by-another-name'],
  versionArgs: ['--version'],
  override: 'MUSTER_TOOL',
  install: { kind: 'go', module: 'example.org/tool@v1.5.0' },
  takes: 'a moment',
};
