/** Looks for every part, and keeps what it saw in a manifest. */

import { findPart, OverrideError } from './find.mjs';
import { rememberingProbe } from './manifest.mjs';
import { PARTS } from './parts.mjs';

/** PostgreSQL does not run as root; Debian's package makes this account. */
export const POSTGRES_ACCOUNT = 'postgres';

/**
 * @typedef {object} State
 * @property {import('./types.d.ts').Manifest} manifest
 * @property {string[]} missing
 * @property {Record<string, readonly string[]>} rejected
 * @property {string[]} broken overrides that cannot be used
 */

/**
 * @param {readonly string[]} names
 * @param {import('./types.d.ts').Machine} machine
 * @param {import('./types.d.ts').Manifest} before
 * @returns {State}
 */
export function lookAround(names, machine, before) {
  const { probe, probes } = rememberingProbe(before.probes);
  /** @type {Record<string, import('./types.d.ts').FoundPart>} */
  const parts = {};
  /** @type {State} */
  const state = { manifest: before, missing: [], rejected: {}, broken: [] };
  for (const [name, spec] of Object.entries(PARTS)) {
    if (!names.includes(name)) {
      // A set-up without the tests' parts must not forget where they are.
      const known = before.parts[name];
      if (known !== undefined) parts[name] = known;
      continue;
    }
    try {
      const { found, rejected } = findPart(name, spec, machine, probe);
      if (found === null) state.missing.push(name);
      else parts[name] = withAccount(name, found, machine);
      state.rejected[name] = rejected;
    } catch (error) {
      if (!(error instanceof OverrideError)) throw error;
      state.broken.push(`${spec.title} (${name}): ${error.message}. Correct or unset ${spec.override}.`);
    }
  }
  state.manifest = { format: 1, parts, probes: { ...keep(before.probes, parts), ...probes } };
  return state;
}

/**
 * Probes of parts that were not looked at this time stay.
 * @param {Readonly<Record<string, import('./types.d.ts').Probe>>} probes
 * @param {Readonly<Record<string, import('./types.d.ts').FoundPart>>} parts
 */
function keep(probes, parts) {
  const paths = new Set(Object.values(parts).map((part) => part.path));
  return Object.fromEntries(Object.entries(probes).filter(([file]) => paths.has(file)));
}

/**
 * @param {string} name
 * @param {import('./types.d.ts').FoundPart} found
 * @param {import('./types.d.ts').Machine} machine
 * @returns {import('./types.d.ts').FoundPart}
 */
function withAccount(name, found, machine) {
  if (name !== 'postgresql' || !machine.root) return found;
  return { ...found, extra: { ...found.extra, account: POSTGRES_ACCOUNT } };
}
