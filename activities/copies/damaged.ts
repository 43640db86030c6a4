/** The damaged server itself: its files are only read. */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, SurveyedCopy } from '../contract.js';
import { justAfter } from '../point/moment.js';
import { programOf, serviceOf } from '../service/index.js';
import { parseTransactionEnd } from '../verify/point.js';

const DUMP_MS = 10 * 60_000;

/** @throws PermanentError `NoCluster` when nothing is left of it, `TablespacesOutside` */
export async function surveyDamaged(
  damaged: DatabaseAt,
): Promise<Pick<SurveyedCopy, 'newestAt' | 'unusable' | 'says'>> {
  const service = serviceOf(damaged.postgres);
  const control = await service.control();
  const running = (await service.pid()) !== undefined;
  await requireWithin(damaged);
  const newest = await newestCommitIn(damaged, control.timeline, control.checkpointLsn);
  return {
    newestAt: newest === undefined ? null : justAfter(newest),
    unusable: null,
    says: `its control file can be read (${control.state}, timeline ${control.timeline}), ${running ? 'its server runs' : 'no server runs'}; newest commit in its log ${newest ?? 'unknown'}; its pages are compared with their checksums when it is copied`,
  };
}

/** Tablespaces lie elsewhere: a copy of the directory would lead back to the original's files. */
async function requireWithin({ site, postgres }: DatabaseAt): Promise<void> {
  const folder = join(postgres.service.dataDirectory, 'pg_tblspc');
  const names = await readdir(folder).catch((): string[] => []);
  const [first] = names;
  if (first === undefined) return;
  throw new PermanentError(
    'TablespacesOutside',
    `The cluster at ${site} has tablespaces outside of its directory (${await readlink(join(folder, first)).catch(() => first)}).`,
    { next: 'Copy them by hand with their links changed; this is not done by itself.' },
  );
}

/** The last commit after its latest checkpoint. A log that breaks off ends there, which is no fault. */
async function newestCommitIn(
  { postgres }: DatabaseAt,
  timeline: number,
  checkpointLsn: string,
): Promise<string | undefined> {
  const { dataDirectory, account } = postgres.service;
  let newest: string | undefined;
  await runTool(
    await programOf(postgres, 'pg_waldump'),
    ['-p', `${dataDirectory}/pg_wal`, '-t', String(timeline), '-s', checkpointLsn, '--rmgr=Transaction'],
    {
      account,
      env: { LC_ALL: 'C', TZ: 'UTC' },
      timeoutMs: DUMP_MS,
      signal: activitySignal(),
      onLine: (line) => {
        const end = parseTransactionEnd(line);
        if (end?.what === 'commit') newest = end.at;
      },
    },
  );
  return newest;
}
