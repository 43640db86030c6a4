/** The way home begins where a recovery has led the system: the runbook says where that may be, the record says where it is. */
import type { LoadedRunbook } from './load.js';
import type { Runbook } from './schema.js';

/** Where the system may be, the usual place first. */
export function leavable({ scenarios: { failback } }: Runbook): readonly string[] {
  return failback === undefined ? [] : [failback.from, ...failback.otherFrom];
}

/** The same runbook, going home from one of these places. Another site is no change: the run itself refuses it. */
export function leavingFrom<Loaded extends Pick<LoadedRunbook, 'runbook'>>(
  loaded: Loaded,
  site: string | undefined,
): Loaded {
  const { runbook } = loaded;
  const { failback } = runbook.scenarios;
  const places = leavable(runbook);
  if (failback === undefined || site === undefined || site === failback.from || !places.includes(site)) {
    return loaded;
  }
  const otherFrom = places.filter((place) => place !== site);
  const scenarios = { ...runbook.scenarios, failback: { ...failback, from: site, otherFrom } };
  return { ...loaded, runbook: { ...runbook, scenarios } };
}

/** The site whose values a record holds. */
export function siteOfValues(
  values: Readonly<Record<string, readonly string[]>>,
  held: readonly string[],
): string | undefined {
  return Object.entries(values).find(
    ([, each]) => each.length === held.length && each.every((one) => held.includes(one)),
  )?.[0];
}
