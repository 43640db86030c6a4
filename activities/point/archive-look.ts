/**
 * Archives looked into where nobody but Muster comes in: each is loaded into a private cluster that is gone afterwards. What was
 * seen is kept beside the heartbeat: an attempt that follows does not look again.
 */
import { isFaultOfCopy } from '../../src/archive/errors.js';
import { withPlace } from '../../src/archive/place.js';
import { PermanentError } from '../../src/errors.js';
import type { Progress } from '../../src/model/run.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import {
  type ChosenArchive,
  chooseArchive,
  fullLabels,
  identitiesOf,
  momentOfLabel,
  openCatalogs,
  withCopies,
} from '../archive/choice.js';
import { activitySignal, keepResumePoint, resumePoint } from '../context.js';
import type { DatabaseAt, StepRef } from '../contract.js';
import { openPrivateArchiveCopy, type PrivateArchiveCopy } from '../private/archive-copy.js';
import { withProgress } from '../progress.js';
import { newestClean } from './newest-clean.js';

export interface ArchiveSearch {
  readonly at: StepRef;
  /** Beside whose directory the private cluster is made. */
  readonly target: DatabaseAt;
  readonly backup: ArchiveBackup;
  /** Only archives of states before this moment, ISO 8601. */
  readonly before: string;
  /** @returns what is wrong with the loaded database, in words; empty: nothing */
  readonly look: (place: DatabaseAt) => Promise<string>;
}

export interface SearchedArchives {
  /** The newest with which nothing is wrong; undefined: there is none. */
  readonly found: ChosenArchive | undefined;
  /** What was wrong with others, by their labels. */
  readonly wrong: ReadonlyMap<string, string>;
}

/** @throws what reading the copies, loading and looking throw */
export async function lookThroughArchives(search: ArchiveSearch): Promise<SearchedArchives> {
  const { at, target, backup, before } = search;
  const signal = activitySignal();
  const labels = (await labelsOf(search, signal)).filter(
    (label) => Date.parse(momentOfLabel(label)) < Date.parse(before),
  );
  const chosen = new Map<string, ChosenArchive>();
  const wrong = new Map<string, string>();
  const first: Progress = { done: 0, total: labels.length, unit: 'files', text: 'choosing an archive' };
  const { clean } = await withProgress(first, async (update) => {
    const copy = await openPrivateArchiveCopy(at, target, backup.jobs, 'search');
    try {
      return await newestClean<string>(labels, async (label) => {
        const usable = await chooseArchive(at.system, backup, signal, before, label).catch(noneUsable);
        // An older one is looked into under its own name.
        if (usable?.manifest.label !== label) return 'unusable';
        chosen.set(label, usable);
        const said = await lookOnce(search, copy, usable, update);
        if (said === '') return [];
        wrong.set(label, said);
        return [said];
      });
    } finally {
      await copy.close();
    }
  });
  return { found: chosen.get(clean ?? ''), wrong };
}

/** Oldest first. */
function labelsOf({ at, backup }: ArchiveSearch, signal: AbortSignal): Promise<readonly string[]> {
  const ignore = () => undefined;
  return withCopies(backup, signal, ignore, async (copies) =>
    fullLabels(await openCatalogs(at.system, backup, copies, signal, ignore)),
  );
}

function noneUsable(error: unknown): undefined {
  if (error instanceof PermanentError) return undefined;
  throw error;
}

interface Memory {
  readonly seen: Readonly<Record<string, string>>;
}

async function lookOnce(
  search: ArchiveSearch,
  copy: PrivateArchiveCopy,
  chosen: ChosenArchive,
  update: (progress: Progress) => void,
): Promise<string> {
  const { label } = chosen.manifest;
  const { seen } = (resumePoint() as Memory | undefined) ?? { seen: {} };
  const known = seen[label];
  if (known !== undefined) return known;
  const said = await search.look(await load(search, copy, chosen, update));
  const text = `${label}: ${said === '' ? 'nothing is wrong with it' : said}`;
  const progress: Progress = { done: Object.keys(seen).length + 1, unit: 'files', text };
  keepResumePoint({ seen: { ...seen, [label]: said } } satisfies Memory, progress);
  update(progress);
  return said;
}

/** From the first of its copies that it can be loaded from. */
async function load(
  { backup }: ArchiveSearch,
  copy: PrivateArchiveCopy,
  { manifest, copies }: ChosenArchive,
  update: (progress: Progress) => void,
): Promise<DatabaseAt> {
  const identities = await identitiesOf(backup);
  for (const [index, number] of copies.entries()) {
    const from = backup.copies[number - 1];
    if (from === undefined) continue;
    try {
      return await withPlace(from, activitySignal(), (place) =>
        copy.load({ place, manifest, identities }, update),
      );
    } catch (error) {
      if (!isFaultOfCopy(error) || index === copies.length - 1) throw error;
    }
  }
  throw new TypeError(`no copy holds ${manifest.label}`);
}
