/** Programs that Muster calls by name are found where the set-up found them, in folders that are not on PATH too. */

import path from 'node:path';
import { onPath } from './machine.mjs';

/**
 * @param {Readonly<Record<string, import('./types.d.ts').FoundPart>>} parts
 * @param {string} before PATH as it is
 * @returns {string} PATH with the folders of those parts first that it would not lead to
 */
export function pathWithParts(parts, before) {
  const env = { PATH: before };
  const folders = Object.values(parts)
    .filter((part) => onPath(path.basename(part.path), env) !== part.path)
    .map((part) => path.dirname(part.path));
  return [...new Set(folders), ...(before === '' ? [] : [before])].join(path.delimiter);
}
