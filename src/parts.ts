/** The programs Muster runs on, as the set-up found them. */

import { accessSync, constants, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { PermanentError } from './errors.js';

export const PART_NAMES = [
  'temporal',
  'coredns',
  'versitygw',
  'ministack',
  'postgresql',
  'pgbackrest',
  'dig',
  'nsupdate',
  'openssl',
  'openssh',
  'chromium',
  'temporal-server',
] as const;

/** What the set-up is told to install parts that it leaves out otherwise. */
const SETUP_OPTIONS: Partial<Record<PartName, string>> = {
  chromium: ' -- --tests',
  'temporal-server': ' -- --parts temporal-server',
};

export type PartName = (typeof PART_NAMES)[number];

export interface Part {
  /** The program, absolute. For PostgreSQL the server, `postgres`; its other programs lie beside it. */
  readonly path: string;
  readonly version: string;
  readonly extra: {
    /** Folder of the program. */
    readonly binDir: string;
    /** Operating-system account that the program must run under, because this one is root. */
    readonly account?: string;
  };
}

/** Looking at a part that is not there throws PermanentError `PartMissing`; the others can be used all the same. */
export type Parts = Readonly<Record<PartName, Part>>;

/**
 * Where the set-up writes what it found: `MUSTER_PARTS`, else `parts.json` in the user's cache folder.
 *
 * @param env environment to look into
 */
export function partsFile(env: Readonly<Record<string, string | undefined>> = process.env): string {
  if (env.MUSTER_PARTS) return env.MUSTER_PARTS;
  const base = env.XDG_CACHE_HOME;
  const cache =
    base !== undefined && path.isAbsolute(base) ? base : path.join(env.HOME || homedir(), '.cache');
  return path.join(cache, 'muster', 'parts.json');
}

/**
 * Reads what the set-up found. Nothing is searched for and nothing is installed.
 *
 * @throws PermanentError `PartsUnknown` when the set-up has not run, or wrote what cannot be read
 */
export function loadParts(env: Readonly<Record<string, string | undefined>> = process.env): Parts {
  const file = partsFile(env);
  const listed = read(file);
  const parts = {};
  for (const name of PART_NAMES) {
    Object.defineProperty(parts, name, { enumerable: true, get: () => present(name, listed[name], file) });
  }
  return parts as Parts;
}

/**
 * One of PostgreSQL's programs.
 *
 * @param parts what the set-up found
 * @param program for instance `pg_ctl`
 * @returns absolute path
 */
export function postgresProgram(parts: Parts, program: string): string {
  return path.join(parts.postgresql.extra.binDir, program);
}

function read(file: string): Record<string, unknown> {
  let manifest: unknown;
  try {
    manifest = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new PermanentError(
      'PartsUnknown',
      `It is not known where Muster's parts are: cannot read ${file}.`,
      {
        why: 'the set-up has not run for this account, or was interrupted',
        next: 'Run "npm run setup".',
        cause,
      },
    );
  }
  if (!isRecord(manifest) || manifest.format !== 1 || !isRecord(manifest.parts)) {
    throw new PermanentError(
      'PartsUnknown',
      `It is not known where Muster's parts are: ${file} has another format.`,
      {
        why: 'another version of the set-up wrote it',
        next: 'Run "npm run setup".',
      },
    );
  }
  return manifest.parts;
}

function present(name: PartName, listed: unknown, file: string): Part {
  if (!isPart(listed)) throw missing(name, `it is not in ${file}`);
  try {
    accessSync(listed.path, constants.X_OK);
  } catch (cause) {
    throw missing(name, `${listed.path} is not there any more`, cause);
  }
  return listed;
}

function missing(name: PartName, why: string, cause?: unknown): PermanentError {
  return new PermanentError('PartMissing', `The part ${name} is missing.`, {
    why,
    next: `Run "npm run setup${SETUP_OPTIONS[name] ?? ''}"; it installs ${name} or says how to.`,
    details: { part: name },
    cause,
  });
}

function isPart(value: unknown): value is Part {
  return (
    isRecord(value) &&
    typeof value.path === 'string' &&
    typeof value.version === 'string' &&
    isRecord(value.extra) &&
    typeof value.extra.binDir === 'string'
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
