/** Versions as numbers between dots; what follows them (`-1~deb12u3`, `rc1`) does not count. */

/**
 * @param {string} text what a program printed
 * @returns {string | null} the first version in it; null for none, and for the 0.0.0 of a build that was given none
 */
export function readVersion(text) {
  const match = /(?<![\w.])v?(\d+(?:\.\d+)+)/.exec(text.replace(/^[A-Za-z]+[-_](?=\d)/gm, ''));
  const version = match?.[1] ?? null;
  return version === '0.0.0' ? null : version;
}

/**
 * @param {string} a
 * @param {string} b
 * @returns {number} below, at or above zero
 */
export function compareVersions(a, b) {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * @param {string} version
 * @param {import('./types.d.ts').Accepts} accepts
 */
export function acceptable(version, accepts) {
  return compareVersions(version, accepts.from) >= 0 && compareVersions(version, accepts.below) < 0;
}

/** @param {import('./types.d.ts').Accepts} accepts */
export function describeAccepts(accepts) {
  return `${accepts.from} or later, below ${accepts.below}`;
}
