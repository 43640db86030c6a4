import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { runTool } from '../../src/process.js';
import type { PostgresSite } from '../../src/runbook/schema.js';

/** Where Debian's and PGDG's packages put the programs of each major version. */
const PACKAGED = '/usr/lib/postgresql';

/**
 * The folder with pg_ctl, pg_dump and so on for a site: the runbook's own, else that of the major version of the data
 * directory, else the newest that is installed, else where pg_config points.
 *
 * @throws PermanentError `PostgresMissing`
 */
export async function binDirectoryOf(postgres: PostgresSite): Promise<string> {
  const { binDirectory, dataDirectory } = postgres.service;
  if (binDirectory !== undefined) return binDirectory;
  const major = await majorVersionOf(dataDirectory);
  const installed = await installedVersions();
  if (major !== undefined && installed.includes(major)) return join(PACKAGED, String(major), 'bin');
  const newest = installed.at(-1);
  if (major === undefined && newest !== undefined) return join(PACKAGED, String(newest), 'bin');
  const configured = await runTool('pg_config', ['--bindir'], { timeoutMs: 10_000 }).catch(() => undefined);
  if (configured?.exitCode === 0) return configured.stdout.trim();
  throw new PermanentError(
    'PostgresMissing',
    `The programs of PostgreSQL${major === undefined ? '' : ` ${major}`} are not installed on this machine.`,
    {
      next: 'Install postgresql where the worker runs, or name its folder in the runbook (sites.<site>.postgres.service.binDirectory).',
    },
  );
}

/** Full path of one program of a site's PostgreSQL. */
export async function programOf(postgres: PostgresSite, program: string): Promise<string> {
  return join(await binDirectoryOf(postgres), program);
}

/** Major version of a data directory; undefined when there is none yet. */
export async function majorVersionOf(dataDirectory: string): Promise<number | undefined> {
  try {
    return Number.parseInt(await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8'), 10);
  } catch {
    return undefined;
  }
}

async function installedVersions(): Promise<readonly number[]> {
  const names = await readdir(PACKAGED).catch(() => []);
  return names
    .map(Number)
    .filter((version) => Number.isInteger(version))
    .sort((a, b) => a - b);
}

const versions = new Map<string, string>();

/** What `<program> --version` says, without the program's name: `15.18 (Debian 15.18-0+deb12u1)`. */
export async function versionOf(program: string): Promise<string> {
  const known = versions.get(program);
  if (known !== undefined) return known;
  const { stdout } = await runTool(program, ['--version'], { timeoutMs: 10_000 });
  const version = stdout.trim().replace(/^\S+ (\(PostgreSQL\) )?/, '');
  versions.set(program, version);
  return version;
}
