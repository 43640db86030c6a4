import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { LabError } from '../errors.js';

/** Absolute paths of the programs the lab is made of. */
export interface Programs {
  readonly temporal: string;
  readonly versitygw: string;
  readonly coredns: string;
  readonly ministack: string;
  readonly pgbackrest: string;
  readonly openssl: string;
  /** Folder with postgres, initdb, pg_ctl and the rest of PostgreSQL's programs. */
  readonly postgresBin: string;
}

/** Finds every program the lab needs, in Muster's cache, the usual places and PATH. @throws LabError naming what is missing. */
export async function findPrograms(): Promise<Programs> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'muster');
  const cached = (part: string, name: string) => join(cache, part, 'bin', name);
  const [temporal, versitygw, coredns, ministack, pgbackrest, openssl, postgres] = await Promise.all([
    first('temporal', cached('temporal-1.5.1', 'temporal')),
    first('versitygw', cached('versitygw-1.8.0', 'versitygw')),
    first('coredns', cached('coredns-1.15.0', 'coredns')),
    first('ministack', cached('ministack-1.5.33', 'ministack')),
    first('pgbackrest'),
    first('openssl'),
    first('postgres', '/usr/lib/postgresql/15/bin/postgres'),
  ]);
  return { temporal, versitygw, coredns, ministack, pgbackrest, openssl, postgresBin: join(postgres, '..') };
}

async function first(name: string, ...preferred: string[]): Promise<string> {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  for (const candidate of [...preferred, ...onPath]) {
    const usable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return candidate;
  }
  throw new LabError(
    `The lab needs ${name}, which is not on this machine.`,
    'Run npm run setup: it installs what is missing.',
  );
}
