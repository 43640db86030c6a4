/** What a set-up found, for the rest of Muster to read, and what programs said about themselves, so that they are not asked again. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { readVersion } from './versions.mjs';

/** @returns {import('./types.d.ts').Manifest} */
export function emptyManifest() {
  return { format: 1, parts: {}, probes: {} };
}

/**
 * @param {string} file
 * @returns {import('./types.d.ts').Manifest} an empty one where there is none that can be read
 */
export function readManifest(file) {
  try {
    const value = JSON.parse(readFileSync(file, 'utf8'));
    return value?.format === 1 && value.parts && value.probes ? value : emptyManifest();
  } catch {
    return emptyManifest();
  }
}

/**
 * Written whole or not at all; not touched when nothing changed.
 * @param {string} file
 * @param {import('./types.d.ts').Manifest} manifest
 */
export function writeManifest(file, manifest) {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  if (text === `${JSON.stringify(readManifest(file), null, 2)}\n`) return;
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}

/**
 * Asks programs for their versions, each only once as long as its file stays the same.
 * @param {Readonly<Record<string, import('./types.d.ts').Probe>>} known
 * @param {typeof askProgram} [ask]
 */
export function rememberingProbe(known, ask = askProgram) {
  /** @type {Record<string, import('./types.d.ts').Probe>} */
  const probes = {};
  return {
    /** Those that were used this time; the others are forgotten. */
    probes,
    /**
     * @param {string} file
     * @param {import('./types.d.ts').PartSpec} spec
     * @returns {import('./types.d.ts').Probe}
     */
    probe(file, spec) {
      const { size, mtimeMs } = statSync(file);
      const before = probes[file] ?? known[file];
      const probe =
        // What did not start may start today: a library that it lacked may be there.
        before?.runs === true && before.size === size && before.mtimeMs === mtimeMs
          ? before
          : { size, mtimeMs, ...ask(file, spec.versionArgs) };
      probes[file] = probe;
      return probe;
    },
  };
}

/**
 * @param {string} file
 * @param {readonly string[] | null} args
 * @returns {{ runs: boolean, version: string | null, trouble?: string }}
 */
export function askProgram(file, args) {
  if (args === null) return { runs: true, version: null };
  // Loopback and the network play no part in printing a version; what hangs here is broken.
  const run = spawnSync(file, args, { encoding: 'utf8', timeout: 20_000, stdio: ['ignore', 'pipe', 'pipe'] });
  if (run.status !== 0) {
    const words = (run.stderr || run.error?.message || '').trim().split('\n');
    return { runs: false, version: null, trouble: words.at(-1) ?? '' };
  }
  return { runs: true, version: readVersion(`${run.stdout}\n${run.stderr}`) };
}
