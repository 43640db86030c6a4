/** Every benchmark by its name, with how often it is measured unless told otherwise. */

import { measureArchive } from './archive.js';
import { measureDecisions } from './decisions.js';
import type { Measurement } from './measurement.js';
import { measureMemory } from './memory.js';
import { measureOwnersWay, measureRecovery } from './recovery.js';
import { measureRestore } from './restore-step.js';
import type { Settings } from './settings.js';
import { measureStep } from './step-cost.js';

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
    title: "an archive restored / the owner's script; / bare pg_restore from plain files, same settings",
    runs: 3,
    measure: measureArchive,
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
    name: 'memory',
    title: 'peak memory of worker and watch while restoring / 400 MB',
    runs: 1,
    measure: measureMemory,
  },
];
