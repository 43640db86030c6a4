/** How runs are called in Temporal. */
import type { Mode } from '../model/run.js';

/** One active real run per system: the workflow id says so, and Temporal refuses a second. */
export function workflowIdOf(system: string, mode: Mode): string {
  return `${system}.${mode}`;
}

/** Muster's own id of a run: `payymo-corruption-20261121-030402-7f3a`. */
export function newRunId(system: string, scenario: string, startedAt: Date, suffix: string): string {
  const [day = '', time = ''] = startedAt.toISOString().slice(0, 19).replace(/[-:]/g, '').split('T');
  return `${system}-${scenario}-${day}-${time}-${suffix}`;
}
