/** Looks at states of the database in a private copy: moves it there with as few restores as it can, and asks every rule. */
import { availableParallelism } from 'node:os';
import { PermanentError } from '../../src/errors.js';
import type { Progress } from '../../src/model/run.js';
import type { Invariant } from '../../src/runbook/schema.js';
import { keepResumePoint, resumePoint } from '../context.js';
import type { DatabaseAt, InvariantResult } from '../contract.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import type { PrivateCopy, Source } from '../private/copy.js';
import { askInvariant } from '../verify/invariant-query.js';
import type { Commit } from './commits.js';
import type { Costs } from './split.js';

/** A state that was looked at. */
export interface Look {
  /** Rules that are broken there; none: it is clean. */
  readonly broken: readonly InvariantResult[];
  /** Position at which the copy stood. */
  readonly lsn: string;
}

export interface Effort {
  readonly restores: number;
  /** States at which all rules were asked. */
  readonly looks: number;
}

export interface Probe {
  /** The state in which a backup is consistent. */
  backup(source: Source): Promise<Look>;
  /** The state right after a commit, on the history of the backup that was named last. */
  after(source: Source, commit: Commit): Promise<Look>;
  costs(): Costs;
  effort(): Effort;
}

const ASKED_AT_ONCE = 4;

/**
 * What was seen is kept beside the heartbeat: an attempt that follows does not look again.
 *
 * @param update told what goes on
 */
export function probeIn(
  copy: PrivateCopy,
  invariants: readonly Invariant[],
  update: (progress: Progress) => void,
): Probe {
  const seen = new Map<string, Look>(Object.entries(remembered().seen));
  let { restores, looks } = remembered();
  let source: Source | undefined;
  /** No further than there has the copy been replayed. */
  let reached = Number.POSITIVE_INFINITY;
  const spent = { look: 0, looks: 0, back: 0, backs: 0 };

  const report = (text: string): Progress => {
    const progress: Progress = { done: looks, unit: 'rows', text: `${text}; looked ${looks} times` };
    update(progress);
    return progress;
  };

  async function look(key: string, what: string, move: () => Promise<{ readonly lsn: string }>) {
    const before = seen.get(key);
    if (before !== undefined) return before;
    report(`searching, ${what}`);
    const begun = performance.now();
    const restoredBefore = restores;
    const { lsn } = await move();
    const moved = performance.now();
    if (restores > restoredBefore) {
      spent.back += moved - begun;
      spent.backs += 1;
    }
    const broken = await askAll(copy.place, invariants);
    looks += 1;
    spent.look += performance.now() - (restores > restoredBefore ? moved : begun);
    spent.looks += 1;
    const found: Look = { broken, lsn };
    seen.set(key, found);
    const said = `${what}: ${broken.length === 0 ? 'clean' : `${broken.map(({ name }) => name).join(', ')} broken`}`;
    keepResumePoint({ seen: Object.fromEntries(seen), restores, looks } satisfies Memory, report(said));
    return found;
  }

  async function restore(from: Source, stop: Parameters<PrivateCopy['restore']>[1], until: number) {
    reached = Number.POSITIVE_INFINITY;
    restores += 1;
    const paused = await copy.restore(from, stop, update);
    source = from;
    reached = until;
    return paused;
  }

  return {
    backup: (from) =>
      look(`${from.repository}/${from.label}`, `backup ${from.label}`, async () => {
        const paused = await restore(from, 'consistent', Number.POSITIVE_INFINITY);
        reached = lsnToNumber(paused.lsn);
        return paused;
      }),

    after: (from, commit) =>
      look(commit.lsn, `commit of ${commit.at}`, async () => {
        const to = lsnToNumber(commit.lsn);
        const same = source?.label === from.label && source.repository === from.repository;
        if (!same || reached > to) return restore(from, commit, to);
        reached = to;
        return copy.forward(commit, update);
      }),

    costs: () => ({
      look: spent.looks === 0 ? 1 : spent.look / spent.looks,
      back: spent.backs === 0 ? 0 : spent.back / spent.backs,
    }),

    effort: () => ({ restores, looks }),
  };
}

interface Memory {
  readonly seen: Readonly<Record<string, Look>>;
  readonly restores: number;
  readonly looks: number;
}

function remembered(): Memory {
  const kept = resumePoint() as Partial<Memory> | undefined;
  return { seen: kept?.seen ?? {}, restores: kept?.restores ?? 0, looks: kept?.looks ?? 0 };
}

/** @returns those that are broken; one that cannot be asked, for instance because its table is not there, is */
export async function askAll(
  place: DatabaseAt,
  invariants: readonly Invariant[],
  atOnce: number = Math.min(ASKED_AT_ONCE, availableParallelism()),
): Promise<readonly InvariantResult[]> {
  const results: (InvariantResult | undefined)[] = [];
  const waiting = invariants.entries();
  const ask = async () => {
    for (const [index, invariant] of waiting) {
      const result = await askInvariant(place.postgres, invariant).catch((error: unknown) =>
        cannotBeAsked(invariant, error),
      );
      if (result.violations > 0) results[index] = result;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  return results.filter((result) => result !== undefined);
}

/** SQLSTATE of a statement that was ended: it says nothing about the data. */
const TOO_LATE = '57014';

function cannotBeAsked({ name, title }: Invariant, error: unknown): InvariantResult {
  if (!(error instanceof PermanentError) || error.code !== 'InvariantUnanswered') throw error;
  if (error.details.sqlState === TOO_LATE) throw error;
  return { name, title, violations: 1, samples: [error.message], durationMs: 0 };
}
