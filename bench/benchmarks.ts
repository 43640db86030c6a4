/** Every benchmark by its name, with how often it is measured unless told otherwise. */

import { measureArchive } from './archive.js';
import { measureCleanPoint } from './clean-point.js';
import { measureDecisions } from './decisions.js';
import { measureFailover } from './failover.js';
import type { Measurement } from './measurement.js';
import { measureMemory } from './memory.js';
import { measureOwnersWay, measureRecovery } from './recovery.js';
import { measureRegional } from './regional.js';
import { measureRestore } from './restore-step.js';
import type { Settings } from './settings.js';
import { measureStep } from './step-cost.js';
import { measureTogether } from './together.js';

export interface Benchmark {
  readonly name: string;
  /** What is divided by what. */
  readonly title: string;
  readonly runs: number;
  readonly measure: (settings: Settings) => Promise<Measurement | readonly Measurement[]>;
}

/** In the order in which they are measured: what is disturbed by anything goes first. */
export const benchmarks: readonly Benchmark[] = [
  {
    name: 'step',
    title: 'a step whose activity does nothing / the same activity without Muster',
    runs: 5,
    measure: measureStep,
  },
  {
    name: 'decisions',
    title: 'a proven decision / a bare update, alone and beside 200 waiting runs; their memory / 500 MB',
    runs: 20,
    measure: measureDecisions,
  },
  {
    name: 'restore',
    title: 'the restore step / bare pgBackRest, start and replay',
    runs: 5,
    measure: measureRestore,
  },
  {
    name: 'archive',
    title:
      "an archive restored / the owner's script, of one job and of two; / bare pg_restore from plain files",
    runs: 3,
    measure: measureArchive,
  },
  {
    name: 'failover',
    title: 'from the last approval to a payment at the standby / bare pg_promote and DNS change; / 5 s',
    runs: 5,
    measure: measureFailover,
  },
  {
    name: 'clean-point',
    title: 'restores until the newest clean point is found / log2 of what there is to tell apart',
    runs: 1,
    measure: measureCleanPoint,
  },
  {
    name: 'recovery',
    title: 'a whole recovery / the same tools by hand in the best order',
    runs: 3,
    measure: measureRecovery,
  },
  {
    name: 'owners-way',
    title: "the owner's way, one step after another with a dump / Muster's recovery",
    runs: 1,
    measure: measureOwnersWay,
  },
  {
    name: 'regional',
    title: 'a region lost with 5,000 files, until the service is back / its longest single part',
    runs: 1,
    measure: measureRegional,
  },
  {
    name: 'together',
    title: 'every system of the lab recovered at once / the slowest of them alone',
    runs: 1,
    measure: measureTogether,
  },
  {
    name: 'memory',
    title: 'peak memory of worker and watch while restoring / 400 MB',
    runs: 1,
    measure: measureMemory,
  },
];
