/** How many cases are tried: a few with the other tests, as many as MUSTER_FUZZ_CASES says in a long run. */
import { appendFileSync } from 'node:fs';

const asked = Number(process.env.MUSTER_FUZZ_CASES) || undefined;

/**
 * @param share of what a long run is asked for: the properties of one area share it, and what takes longer is tried less often
 */
export function cases(usual: number, share = 1): { readonly numRuns: number; readonly seed?: number } {
  const seed =
    process.env.MUSTER_FUZZ_SEED === undefined ? {} : { seed: Number(process.env.MUSTER_FUZZ_SEED) };
  return { numRuns: asked === undefined ? usual : Math.ceil(asked * share), ...seed };
}

if (asked !== undefined) jest.setTimeout(3_600_000);

const tallies = new Map<string, number>();

/** Counts one case, for the table at the end of a long run. */
export function counted(what: string): void {
  tallies.set(what, (tallies.get(what) ?? 0) + 1);
}

afterAll(() => {
  const file = process.env.MUSTER_FUZZ_TALLY;
  if (file === undefined) return;
  for (const [what, count] of tallies) appendFileSync(file, `${JSON.stringify({ what, count })}\n`);
});
