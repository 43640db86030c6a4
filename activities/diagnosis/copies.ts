/** Whether backups answer, how new they are, and whether something is missing in between. Reads only. */
import { stat } from 'node:fs/promises';
import { readCatalog } from '../../src/archive/catalog.js';
import { withPlace } from '../../src/archive/place.js';
import type { CopySeen } from '../../src/diagnosis/symptoms.js';
import { PermanentError } from '../../src/errors.js';
import { formatDuration } from '../../src/model/format.js';
import { backupConfigOf } from '../../src/runbook/backup-config.js';
import type { ArchiveBackup, ArchiveCopy, PgbackrestBackup, PostgresSite } from '../../src/runbook/schema.js';
import { scopeOf } from '../pgbackrest/command.js';
import { askRepositories } from '../pgbackrest/reach.js';
import { withStandIn } from '../pgbackrest/stand-in.js';
import { commitReader, newestCommit } from '../point/commits.js';
import { lookInto, pathFrom } from '../point/holding.js';
import { momentOf } from '../point/moment.js';
import { type Absence, type Look, lookAt, said } from './look.js';

const LOOK_MS = 45_000;
/** Of the end of the archive: a segment may hold no commit. */
const NEWEST_SEGMENTS = 3;

/** @param from the site whose configuration leads to the backups; not the primary's, which may be gone */
export function lookAtRepository(
  from: PostgresSite,
  backup: PgbackrestBackup,
  { number, title, failureDomain }: PgbackrestBackup['repositories'][number],
): Promise<Look<CopySeen>> {
  const silent: CopySeen = { title, failureDomain, state: 'silent', newest: null };
  const absent = (state: Absence): CopySeen => ({ ...silent, state });
  return lookAt(`repository ${number} (${title})`, LOOK_MS, absent, async () => {
    await requireConfiguration(backupConfigOf(from));
    // pgBackRest itself waits for a dead store far longer.
    const dead = (await askRepositories(scopeOf(from, backup), [number])).get(number);
    if (dead !== undefined) {
      const state = dead instanceof PermanentError ? 'unreadable' : 'silent';
      return { verdict: 'wrong', saw: said(dead), symptom: { ...silent, state } };
    }
    try {
      const holding = await lookInto(from, backup, number, { systemIdentifier: '', timeline: 0 });
      const { backup: last, present, segments } = await pathFrom(holding, holding.backups);
      const newest =
        (await withStandIn(from, holding.systemIdentifier, (standIn) =>
          newestCommit(present.slice(-NEWEST_SEGMENTS), commitReader(from, holding.scope, number, standIn)),
        )) ?? momentOf(last.timestamp.stop);
      const gap = segments[present.length];
      const saw = [
        `newest backup ${last.label}, stopped ${momentOf(last.timestamp.stop)}`,
        `${present.length} WAL segments after it, newest commit ${newest}`,
        ...(gap === undefined
          ? []
          : [`segment ${gap} is MISSING: what was archived after it cannot be replayed`]),
      ].join('; ');
      return {
        verdict: gap === undefined ? 'fine' : 'wrong',
        saw,
        symptom: { ...silent, state: gap === undefined ? 'usable' : 'gap', newest },
      };
    } catch (error) {
      if (!(error instanceof PermanentError)) throw error;
      const state = error.code === 'NoBackup' || error.code === 'StanzaMissing' ? 'empty' : 'unreadable';
      return { verdict: 'wrong', saw: said(error), symptom: { ...silent, state } };
    }
  });
}

export function lookAtArchives(
  system: string,
  backup: ArchiveBackup,
  copy: ArchiveCopy,
): Promise<Look<CopySeen>> {
  const { title, failureDomain } = copy;
  const silent: CopySeen = { title, failureDomain, state: 'silent', newest: null };
  const absent = (state: Absence): CopySeen => ({ ...silent, state });
  return lookAt(`archives (${title})`, LOOK_MS, absent, async (signal) => {
    // A folder that was never written to is there once the first archive was made: without it the disk is gone, or not mounted.
    if (copy.driver === 'folder' && (await stat(copy.path).catch(() => undefined)) === undefined) {
      return {
        verdict: 'wrong',
        saw: `${copy.path} is not there: its disk is gone, or not mounted here`,
        symptom: silent,
      };
    }
    try {
      const entries = await withPlace(copy, signal, (place) =>
        readCatalog(place, system, backup, ({ unusable }) => unusable === undefined),
      );
      const good = entries.find(({ unusable }) => unusable === undefined);
      const bad = entries.filter(({ unusable }) => unusable !== undefined).map(({ label }) => label);
      const newer = bad.length === 0 ? [] : [`newer ones cannot be used: ${bad.join(', ')}`];
      if (good === undefined) {
        const saw = ['no archive that can be used', ...newer].join('; ');
        const state = entries.length === 0 ? 'empty' : 'unreadable';
        return { verdict: 'wrong', saw, symptom: { ...silent, state } };
      }
      const newest = momentOfLabel(good.label);
      const ageMs = Date.now() - Date.parse(newest);
      const late = backup.takenEvery !== undefined && ageMs > 2 * backup.takenEvery;
      const age = `newest archive ${good.label}, ${formatDuration(ageMs)} old`;
      const overdue = late ? ['the one after it is overdue'] : [];
      return {
        verdict: late || bad.length > 0 ? 'wrong' : 'fine',
        saw: [age, ...overdue, ...newer].join('; '),
        symptom: { ...silent, state: bad.length > 0 ? 'gap' : 'usable', newest },
      };
    } catch (error) {
      if (!(error instanceof PermanentError) || error.code === 'SecretMissing') throw error;
      return { verdict: 'wrong', saw: said(error), symptom: { ...silent, state: 'unreadable' } };
    }
  });
}

/** Without it nothing is known of the repositories, good or bad. @throws PermanentError `ConfigurationMissing` */
async function requireConfiguration(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there !== undefined) return;
  throw new PermanentError('ConfigurationMissing', `The configuration ${file} is not here.`, {
    next: 'Diagnose where a worker runs that recovers to that site.',
  });
}

/** `20261121T030000Z-full` begins with it. */
function momentOfLabel(label: string): string {
  const [, date = '', time = ''] = /^(\d{8})T(\d{6})Z/.exec(label) ?? [];
  const parts = (text: string, by: string) => text.replace(/(..)(..)$/, `${by}$1${by}$2`);
  return `${parts(date, '-')}T${parts(time, ':')}.000Z`;
}
