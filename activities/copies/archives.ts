/** Every archive in every copy, and as it was before the bucket was changed: whose it is, how new, and whether it is all there. */
import { LABEL, openCatalog } from '../../src/archive/catalog.js';
import type { ArchiveManifest } from '../../src/archive/manifest.js';
import { type PlacedCopy, withPlace } from '../../src/archive/place.js';
import { MusterError, messageOf } from '../../src/errors.js';
import type { ArchiveBackup } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { ArchiveCopyRef, CopiesActivities, SurveyedCopy } from '../contract.js';
import { archivePoint, identityOf } from '../point/archive.js';
import { countLosses, type Losses } from '../point/losses.js';
import { toMoment } from '../point/moment.js';
import { unread } from './answer.js';

type Input = Parameters<CopiesActivities['surveyCopies']>[0];
type Head = Pick<SurveyedCopy, 'id' | 'kind' | 'title'>;

/** Said of what was listed; it is read whole when it is tried. */
const CHECKED = 'signature, key and sizes; every byte is read when it is tried';

/** Of each place; what is older loses more, and years of archives are no choice for a night. */
const MOST_ARCHIVES = 20;

/** What one place holds. */
interface Shelf {
  readonly from: ArchiveCopyRef;
  readonly found: readonly Found[];
  /** Archives that cannot be used, or the whole place. */
  readonly unread: readonly SurveyedCopy[];
}

interface Found {
  readonly head: Head;
  readonly manifest: ArchiveManifest;
  readonly signer: string;
}

export async function surveyArchives(input: Input, name: string): Promise<readonly SurveyedCopy[]> {
  const backup = input.archives[name];
  if (backup === undefined) return [];
  const places = backup.copies.flatMap(({ driver }, index): ArchiveCopyRef[] => {
    const from = { backup: name, copy: index + 1 };
    const now = { ...from, earlier: false };
    return driver === 's3' ? [now, { ...from, earlier: true }] : [now];
  });
  const shelves = await Promise.all(places.map((from) => lookInto(input, backup, from)));
  const newest = shelves
    .flatMap(({ found }) => found)
    .sort((one, other) => (one.manifest.label < other.manifest.label ? 1 : -1))[0];
  if (newest === undefined) return shelves.flatMap((shelf) => shelf.unread);
  const identity = await identityOf(input.damaged, newest.manifest);
  const losses = new Map<string, Losses>();
  const copies: SurveyedCopy[] = [];
  for (const { from, found, unread: bad } of shelves) {
    for (const { head, manifest, signer } of found) {
      const time = toMoment(manifest.snapshot.at);
      const lost = losses.get(time) ?? (await countLosses(input.dataClasses, time, activitySignal()));
      losses.set(time, lost);
      const point = archivePoint(
        { manifest, signer, copies: [1], checked: CHECKED, passedOver: [] },
        { asked: head.id, backup: archiveAt(backup, from), identity, losses: lost },
      );
      copies.push({
        ...head,
        newestAt: time,
        unusable: null,
        says: `signed by ${signer}, all ${manifest.parts.length} parts have their sizes; every byte is read when it is tried`,
        loses: lost.loses,
        lossUnknown: lost.unknown,
        point,
        from,
      });
    }
    copies.push(...bad);
  }
  return copies;
}

/** A backup that has one copy: the one that is meant. */
export function archiveAt(
  backup: ArchiveBackup,
  { copy: number, earlier }: Pick<ArchiveCopyRef, 'copy' | 'earlier'>,
): ArchiveBackup {
  const copy = backup.copies[number - 1];
  if (copy === undefined) throw new TypeError(`there is no copy ${number}`);
  const placed: PlacedCopy = earlier ? { ...copy, earlier } : copy;
  return { ...backup, copies: [placed] };
}

async function lookInto({ at }: Input, backup: ArchiveBackup, from: ArchiveCopyRef): Promise<Shelf> {
  const signal = activitySignal();
  const [copy] = archiveAt(backup, from).copies;
  if (copy === undefined) throw new TypeError('a backup without copies');
  const where = `${from.backup}/${from.copy}${from.earlier ? '-earlier' : ''}`;
  const then = from.earlier ? ', as it was when it was made' : '';
  const head = (label: string): Head => ({
    id: `${where}/${label}`,
    kind: 'archive',
    title: `archive ${label} in ${copy.title}${then}`,
  });
  const whole: Head = { id: where, kind: 'archive', title: `the archives in ${copy.title}${then}` };
  try {
    return await withPlace(copy, signal, async (place) => {
      const catalog = await openCatalog(place, at.system, backup);
      const found: Found[] = [];
      const bad: SurveyedCopy[] = [];
      const labels = catalog.labels.filter((one) => LABEL.test(one) && one.endsWith('-full'));
      for (const label of labels.slice(0, MOST_ARCHIVES)) {
        const { manifest, signer = '', unusable } = (await catalog.entry(label)) ?? {};
        if (manifest !== undefined) found.push({ head: head(label), manifest, signer });
        else bad.push(unread(head(label), messageOf(unusable)));
      }
      const older = labels.length - MOST_ARCHIVES;
      if (older > 0) {
        const them = {
          ...whole,
          id: `${where}/older`,
          title: `${older} older archives in ${copy.title}${then}`,
        };
        bad.push(unread(them, 'not looked at: the newest ones are tried (muster archives lists all)'));
      }
      // Where nothing was changed there is no earlier state.
      const empty = found.length + bad.length === 0 && !from.earlier;
      return {
        from,
        found,
        unread: empty ? [unread(whole, 'it holds no full archive of this system')] : bad,
      };
    });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof MusterError)) throw error;
    return { from, found: [], unread: [unread(whole, messageOf(error))] };
  }
}
