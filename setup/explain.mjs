/** What a person is told about the parts that are still missing when everything that could be done was done. */

import { handCommand } from './advice.mjs';
import { PARTS } from './parts.mjs';

/**
 * @param {import('./survey.mjs').State} state
 * @param {ReadonlyMap<string, import('./jobs.mjs').Failure>} failures
 * @param {readonly import('./types.d.ts').Impossible[]} impossible
 * @param {import('./types.d.ts').Machine} machine
 * @returns {string[]}
 */
export function explain(state, failures, impossible, machine) {
  /** @type {string[]} */
  const complaints = [];
  for (const job of new Set(failures.values())) {
    const parts = job.parts.filter((name) => state.missing.includes(name));
    if (job.parts.length > 0 && parts.length === 0) continue;
    const what = parts.length > 0 ? `Missing: ${parts.map(titled).join(', ')}.` : `Not done: ${job.title}.`;
    complaints.push(`${what}\n  ${job.why}\n  By hand: ${job.command}`);
  }
  for (const name of state.missing) {
    if ([...failures.values()].some((job) => job.parts.includes(name))) continue;
    const known = impossible.find(({ part }) => part === name);
    const seen = state.rejected[name] ?? [];
    const why = known?.why ?? 'it was installed but cannot be used';
    const passedOver = seen.length > 0 ? `\n  Passed over: ${seen.join('; ')}.` : '';
    const command = known?.command ?? handCommand(name, machine);
    complaints.push(`Missing: ${titled(name)}.\n  Why: ${why}.${passedOver}\n  By hand: ${command}`);
  }
  return complaints;
}

/** @param {string} name */
function titled(name) {
  return `${PARTS[name]?.title} (${name})`;
}
