import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LabError } from './errors.js';

let root: string | undefined;

/** Muster's own folder: the nearest one above this file with a package.json. */
export function projectRoot(): string {
  if (root) return root;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  root = folder;
  return folder;
}

/**
 * A built program of Muster, for a process of its own.
 *
 * @param file below dist, for instance `lab/payymo/app.js`
 * @throws LabError when it has not been built
 */
export function builtProgram(file: string): string {
  const path = join(projectRoot(), 'dist', file);
  if (existsSync(path)) return path;
  throw new LabError(`${path} has not been built.`, 'Run npm run build, then the command again.');
}
