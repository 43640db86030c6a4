/** The damaged server itself: its files are only read. */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PermanentError } from '../../src/errors.js';
import { runTool } from '../../src/process.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, SurveyedCopy } from '../contract.js';
import { justAfter, toMoment } from '../point/moment.js';
import { programOf, serviceOf } from '../service/index.js';
import { parseTransactionEnd } from '../verify/point.js';
import { sizesOf } from './tree.js';

const DUMP_MS = 10 * 60_000;

/** @throws PermanentError `NoCluster` when nothing is left of it, `TablespacesOutside` */
export async function surveyDamaged(
  damaged: DatabaseAt,
): Promise<Pick<SurveyedCopy, 'newestAt' | 'unusable' | 'says' | 'bytes'>> {
  const service = serviceOf(damaged.postgres);
  const control = await service.control();
  const running = (await service.pid()) !== undefined;
  await requireWithin(damaged);
  const checkpoint = await latestCheckpoint(damaged);
  const newest = await newestCommitIn(damaged, control.timeline, checkpoint.redoLsn ?? control.checkpointLsn);
  // Where nothing was committed since, it leads to all that was before.
  const checkpointAt = newest === undefined ? checkpoint.at : undefined;
  return {
    newestAt: newest === undefined ? (checkpointAt ?? null) : justAfter(newest),
    unusable: null,
    bytes: (await sizesOf(damaged.postgres.service.dataDirectory)).bytes,
    says: `its control file can be read (${control.state}, timeline ${control.timeline}), ${running ? 'its server runs' : 'no server runs'}; newest commit in its log ${newest ?? (checkpointAt === undefined ? 'unknown' : `before its checkpoint of ${checkpointAt}`)}; its pages are compared with their checksums when it is copied`,
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

/** Where replay begins, and when its checkpoint was begun, ISO 8601; undefined where the words are not understood. */
async function latestCheckpoint({
  postgres,
}: DatabaseAt): Promise<{ readonly redoLsn?: string; readonly at?: string }> {
  const { dataDirectory, account } = postgres.service;
  const { stdout } = await runTool(await programOf(postgres, 'pg_controldata'), ['-D', dataDirectory], {
    account,
    env: { LC_ALL: 'C', TZ: 'UTC' },
    timeoutMs: 30_000,
    signal: activitySignal(),
  });
  const redoLsn = /^Latest checkpoint's REDO location:\s+(\S+)$/m.exec(stdout)?.[1];
  const at = Date.parse(`${/^Time of latest checkpoint:\s+(.+)$/m.exec(stdout)?.[1] ?? ''} UTC`);
  return {
    ...(redoLsn === undefined ? {} : { redoLsn }),
    ...(Number.isNaN(at) ? {} : { at: toMoment(new Date(at).toISOString()) }),
  };
}

/** The last commit after a position. A log that breaks off ends there, which is no fault. */
async function newestCommitIn(
  { postgres }: DatabaseAt,
  timeline: number,
  fromLsn: string,
): Promise<string | undefined> {
  const { dataDirectory, account } = postgres.service;
  let newest: string | undefined;
  await runTool(
    await programOf(postgres, 'pg_waldump'),
    ['-p', `${dataDirectory}/pg_wal`, '-t', String(timeline), '-s', fromLsn, '--rmgr=Transaction'],
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
