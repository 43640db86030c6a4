/** Finding a part: the override, then the cache, then known places and PATH. The first that is acceptable is taken. */

import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { isProgram, pathFolders } from './machine.mjs';
import { acceptable, describeAccepts } from './versions.mjs';

/** An override that does not work is an error, not a reason to take something else behind the person's back. */
export class OverrideError extends Error {}

/**
 * The folder of the cache that holds an installed part. What comes from Debian's packages fits one release of the
 * system only, so the release is in the name.
 * @param {string} name
 * @param {import('./types.d.ts').PartSpec} spec
 * @param {import('./types.d.ts').Machine} machine
 */
export function cacheTarget(name, spec, machine) {
  const suffix =
    spec.install.kind === 'debian' ? `${spec.version}-${machine.osId}${machine.osVersion}` : spec.version;
  return path.join(machine.cacheDir, `${spec.folder ?? name}-${suffix}`);
}

/**
 * Where a part may be, best first.
 * @param {string} name
 * @param {import('./types.d.ts').PartSpec} spec
 * @param {import('./types.d.ts').Machine} machine
 * @returns {{ source: 'override' | 'cache' | 'system', path: string }[]}
 */
export function candidates(name, spec, machine) {
  const override = machine.env[spec.override];
  if (override !== undefined && override !== '') {
    return [{ source: 'override', path: path.resolve(machine.env.INIT_CWD ?? '.', override) }];
  }
  const cache = path.join(cacheTarget(name, spec, machine), 'bin');
  /** @type {{ source: 'cache' | 'system', path: string }[]} */
  const list = spec.programs.map((program) => ({ source: 'cache', path: path.join(cache, program) }));
  if (!machine.useSystem) return list;
  const places = (spec.places ?? []).flatMap((place) => expand(place, machine.home));
  for (const folder of [...places, ...pathFolders(machine.env)]) {
    for (const program of spec.programs) list.push({ source: 'system', path: path.join(folder, program) });
  }
  return list;
}

/**
 * @param {string} place
 * @param {string} home
 * @returns {string[]}
 */
function expand(place, home) {
  const [before, after] = place.replace(/^~(?=\/)/, () => home).split('/*/');
  if (before === undefined || after === undefined) return [place.replace(/^~(?=\/)/, () => home)];
  try {
    return readdirSync(before).map((entry) => path.join(before, entry, after));
  } catch {
    return [];
  }
}

/**
 * @param {string} name
 * @param {import('./types.d.ts').PartSpec} spec
 * @param {import('./types.d.ts').Machine} machine
 * @param {(file: string, spec: import('./types.d.ts').PartSpec) => import('./types.d.ts').Probe} probe asks a program for its version
 * @returns {import('./types.d.ts').Search}
 * @throws OverrideError when the override names something that cannot be used
 */
export function findPart(name, spec, machine, probe) {
  /** @type {string[]} */
  const rejected = [];
  for (const candidate of candidates(name, spec, machine)) {
    const unusable = check(candidate, spec, probe);
    if (unusable === null) {
      const version = candidate.source === 'cache' && spec.install.kind !== 'debian' ? spec.version : null;
      return {
        found: {
          path: candidate.path,
          version: version ?? probe(candidate.path, spec).version ?? 'unknown',
          source: candidate.source,
          extra: { binDir: path.dirname(candidate.path) },
        },
        rejected,
      };
    }
    if (candidate.source === 'override') throw new OverrideError(`${spec.override} names ${unusable}`);
    if (existsSync(candidate.path)) rejected.push(unusable);
  }
  return { found: null, rejected };
}

/**
 * @param {{ source: 'override' | 'cache' | 'system', path: string }} candidate
 * @param {import('./types.d.ts').PartSpec} spec
 * @param {(file: string, spec: import('./types.d.ts').PartSpec) => import('./types.d.ts').Probe} probe
 * @returns {string | null} why it cannot be used
 */
function check(candidate, spec, probe) {
  if (!isProgram(candidate.path)) return `${candidate.path}, which is not a program that can be started`;
  const folder = path.dirname(candidate.path);
  const lacking = (spec.companions ?? []).filter((companion) => !isProgram(path.join(folder, companion)));
  if (lacking.length > 0) return `${candidate.path}, which lacks ${lacking.join(', ')} beside it`;
  const { runs, version, trouble } = probe(candidate.path, spec);
  if (!runs) return `${candidate.path}, which does not start${trouble ? `: ${trouble}` : ''}`;
  // What lies in the cache was built there from the pinned version, and many builds do not know their own.
  if (candidate.source === 'cache' && spec.install.kind !== 'debian') return null;
  if (version === null) {
    return candidate.source === 'override' ? null : `${candidate.path}, which does not tell its version`;
  }
  if (acceptable(version, spec.accepts)) return null;
  return `${candidate.path}, which is version ${version}; it takes ${describeAccepts(spec.accepts)}`;
}
