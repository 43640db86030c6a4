/** The newest dump archive in which every rule of the runbook holds: for damage that nobody can date, where dumps are all there is. */
import { isFaultOfCopy } from '../../src/archive/errors.js';
import type { ArchiveManifest } from '../../src/archive/manifest.js';
import { type MusterError, messageOf, PermanentError } from '../../src/errors.js';
import { formatCount, formatDuration } from '../../src/model/format.js';
import type { Progress } from '../../src/model/run.js';
import type { OfArchive } from '../../src/runbook/backups.js';
import {
  fullLabels,
  identitiesOf,
  momentOfLabel,
  openCatalogs,
  soundCopies,
  withCopies,
} from '../archive/choice.js';
import { activitySignal, keepResumePoint, resumePoint } from '../context.js';
import type { CleanArchiveSearch, InvariantResult, MusterActivities, RecoveryPoint } from '../contract.js';
import { openPrivateArchiveCopy } from '../private/archive-copy.js';
import { describeArchive, identityOf } from './archive.js';
import { type NewestClean, newestClean } from './newest-clean.js';
import { askAll } from './probe.js';

type Input = OfArchive<Parameters<MusterActivities['searchPoint']>[0]>;
type Found = NonNullable<Awaited<ReturnType<typeof soundCopies>>>;

const ASSUMES =
  'every rule held until some archive and at least one has been broken in every later one: damage that was mended in between is not seen';

/**
 * Loads archives into a private copy at the target, the newest first and then by halving, and asks every rule there. Nothing
 * but the copy is touched, and it is gone afterwards. What was seen is kept beside the heartbeat: an attempt that follows does
 * not load it again.
 *
 * @param live rules that are broken on the live data; undefined: it does not answer
 * @throws PermanentError `NoArchive`, `NoCleanBackup`, `NoRoom`; TransientError where a copy that may hold one does not answer
 */
export async function searchArchives(
  { at, damaged, target, backup, invariants, dataClasses }: Input,
  live: readonly InvariantResult[] | undefined,
  update: (progress: Progress) => void,
): Promise<RecoveryPoint> {
  const begun = performance.now();
  const signal = activitySignal();
  const identities = await identitiesOf(backup);
  const troubles = new Troubles();
  return withCopies(
    backup,
    signal,
    ({ title }, error) => troubles.add(title, error),
    async (copies) => {
      const catalogs = await openCatalogs(at.system, backup, copies, signal, (title, error) =>
        troubles.add(title, error),
      );
      const labels = fullLabels(catalogs);
      if (labels.length === 0) throw troubles.first ?? noArchive(at.system, backup.copies);
      const copy = await openPrivateArchiveCopy(at, target, backup.jobs, 'search');
      const memory = new Memory(update);
      const sound = new Map<string, Found>();
      let newest: ArchiveManifest | undefined;
      const holders = async (label: string): Promise<Found | undefined> => {
        const known = sound.get(label);
        if (known !== undefined) return known;
        const found = await soundCopies(label, catalogs, identities, signal, ({ place }, error) =>
          troubles.add(`${label} in ${place.title}`, error),
        );
        if (found !== undefined) sound.set(label, found);
        const manifest = found?.copies[0]?.manifest;
        if (manifest !== undefined && (newest === undefined || manifest.label > newest.label))
          newest = manifest;
        return found;
      };
      const load = async (label: string) => {
        const found = await holders(label);
        for (const { place, manifest } of found?.copies ?? []) {
          try {
            memory.restores += 1;
            return await copy.load({ place, manifest, identities }, update);
          } catch (error) {
            signal.throwIfAborted();
            // Another copy of it, or an older archive, may do.
            if (!isFaultOfCopy(error) && (error as MusterError).code !== 'RestoreFailed') throw error;
            troubles.add(`${label} in ${place.title}`, error as MusterError);
          }
        }
        return undefined;
      };
      try {
        const result = await newestClean(labels, (label) =>
          memory.look(label, async () => {
            const place = await load(label);
            return place === undefined ? 'unusable' : askAll(place, invariants);
          }),
        );
        if (result.clean === undefined) throw noneClean(result, labels, troubles);
        const found = await holders(result.clean);
        const [first] = found?.copies ?? [];
        if (found === undefined || first === undefined || newest === undefined) throw troubles.first;
        const archiveSearch = describe(result, first.manifest, live, {
          restores: memory.restores,
          candidates: labels.length,
          durationMs: Math.round(performance.now() - begun),
        });
        const { manifest, entry } = first;
        const point = await describeArchive(
          {
            ...{ manifest, signer: entry.signer ?? '', checked: found.checked, newest },
            copies: found.copies.map(({ number }) => number),
            passedOver: troubles.said,
          },
          identityOf(damaged, newest),
          'searched',
          { backup, dataClasses, notes: [inWords(archiveSearch)] },
        );
        return { ...point, archiveSearch };
      } finally {
        await copy.close();
      }
    },
  );
}

class Troubles {
  readonly #found: { readonly what: string; readonly error: MusterError }[] = [];

  add(what: string, error: MusterError): void {
    if (!this.said.includes(`${what}: ${messageOf(error)}`)) this.#found.push({ what, error });
  }

  get said(): readonly string[] {
    return this.#found.map(({ what, error }) => `${what}: ${messageOf(error)}`);
  }

  /** What may pass is told before what does not. */
  get first(): MusterError | undefined {
    const errors = this.#found.map(({ error }) => error);
    return errors.find((error) => error.name === 'TransientError') ?? errors[0];
  }
}

type Seen = readonly InvariantResult[] | 'unusable';

/** What earlier attempts have seen, and what this one adds. */
class Memory {
  readonly #seen: Map<string, Seen>;
  restores: number;

  constructor(private readonly update: (progress: Progress) => void) {
    const kept = resumePoint() as { seen?: Record<string, Seen>; restores?: number } | undefined;
    this.#seen = new Map(Object.entries(kept?.seen ?? {}));
    this.restores = kept?.restores ?? 0;
  }

  async look(label: string, ask: () => Promise<Seen>): Promise<Seen> {
    const before = this.#seen.get(label);
    if (before !== undefined) return before;
    const report = (text: string): Progress => {
      const progress: Progress = { done: this.#seen.size, unit: 'rows', text };
      this.update(progress);
      return progress;
    };
    report(`searching, archive ${label}`);
    const found = await ask();
    this.#seen.set(label, found);
    const rules = found === 'unusable' ? found : found.map(({ name }) => name).join(', ');
    const said = report(`archive ${label}: ${rules === '' ? 'clean' : rules}`);
    keepResumePoint({ seen: Object.fromEntries(this.#seen), restores: this.restores }, said);
    return found;
  }
}

function describe(
  { damaged, broken }: NewestClean,
  clean: ArchiveManifest,
  live: readonly InvariantResult[] | undefined,
  effort: Pick<CleanArchiveSearch, 'restores' | 'candidates' | 'durationMs'>,
): CleanArchiveSearch {
  return {
    clean: { label: clean.label, at: clean.snapshot.at },
    damaged: damaged === undefined ? null : { label: damaged, at: momentOfLabel(damaged) },
    broken: damaged === undefined ? (live ?? []) : broken,
    liveAsked: live !== undefined,
    ...effort,
    assumes: ASSUMES,
  };
}

function inWords({
  clean,
  damaged,
  broken,
  liveAsked,
  restores,
  candidates,
  durationMs,
}: CleanArchiveSearch): string {
  const rules = broken.map(({ name }) => name).join(', ');
  const since =
    damaged === null
      ? `it is the newest that can be used${liveAsked ? `, and on the live data ${rules} ${broken.length === 1 ? 'is' : 'are'} broken` : '; the live data could not be asked'}`
      : `in the next one, ${damaged.label}, ${rules} ${broken.length === 1 ? 'is' : 'are'} broken`;
  return `all rules hold in ${clean.label}; ${since}; found among ${formatCount(candidates)} archives with ${formatCount(restores)} restores in ${formatDuration(durationMs)}`;
}

function noneClean(
  { oldestDamaged, broken }: NewestClean,
  labels: readonly string[],
  troubles: Troubles,
): MusterError {
  const { first, said } = troubles;
  if (oldestDamaged === undefined) {
    if (first === undefined) throw new TypeError('no archive was looked into');
    return new PermanentError(first.code, `No archive can be used. ${first.message}`, {
      why: said.join(' '),
      next: first.next,
      cause: first,
    });
  }
  const rules = broken.map(
    ({ name, violations, samples }) =>
      `${name} (${formatCount(violations)} rows${samples[0] === undefined ? '' : `, for instance ${samples[0]}`})`,
  );
  return new PermanentError(
    'NoCleanBackup',
    `Already in the oldest of ${formatCount(labels.length)} archives that can be used, ${oldestDamaged}, rules are broken: ${rules.join('; ')}.`,
    {
      why: ['The damage is older than every archive that can be used, or the rule never held.', ...said].join(
        ' ',
      ),
      next: 'Look for an older copy (off site, archive). If the rule is wrong, correct it in the runbook (verification.invariants) and begin again; if the damage may stay, begin again with --before.',
      details: { archive: oldestDamaged, rules: broken.map(({ name }) => name).join(', ') },
    },
  );
}

function noArchive(system: string, copies: readonly { readonly title: string }[]): PermanentError {
  return new PermanentError(
    'NoArchive',
    `There is no full archive of ${system} in ${copies.map(({ title }) => title).join(', ')}.`,
    { next: 'Name the right places in the runbook (backups.<name>.copies), or look for copies elsewhere.' },
  );
}
