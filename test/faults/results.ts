/** Outcomes on disk, one JSON line each, so that a run that was ended goes on where it was. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { Outcome } from './outcome.js';

/** Outcomes of an earlier run; a line that was cut short is left out. */
export function readResults(file: string | undefined): readonly Outcome[] {
  if (file === undefined || !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Outcome];
      } catch {
        return [];
      }
    });
}

export function addResult(file: string | undefined, outcome: Outcome): void {
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(outcome)}\n`);
}
