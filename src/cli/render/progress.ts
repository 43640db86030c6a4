/** Progress of long work, as much of it as a column holds. */
import type { Progress } from '../../model/run.js';
import { plain, widthOf } from './line.js';
import { bytes, bytesOf, clock, count, percent } from './units.js';

interface Part {
  readonly text: string;
  /** 0 is the last to go when there is no room. */
  readonly rank: number;
}

/**
 * `71 %, 6.2 of 8.7 GB, 104 MB/s, about 0:24 left, copying files`: whole parts only, the least telling one left out first.
 * @param width columns there are
 */
export function progressText(progress: Progress, width: number): string {
  let parts = partsOf(progress);
  while (parts.length > 1 && widthOf(join(parts)) > width) {
    const last = Math.max(...parts.map((part) => part.rank));
    parts = parts.filter((part) => part.rank !== last);
  }
  return join(parts);
}

function join(parts: readonly Part[]): string {
  return parts.map((part) => part.text).join(', ');
}

function partsOf(progress: Progress): Part[] {
  const { done, total, ratePerSecond } = progress;
  const parts: Part[] = [];
  const text = plain(progress.text);
  const known = total !== undefined && total > 0;
  if (known) parts.push({ text: percent(done, total), rank: 0 });
  const amount = amountText(progress);
  if (amount !== undefined) parts.push({ text: amount, rank: known ? 2 : 0 });
  if (ratePerSecond !== undefined && ratePerSecond > 0) {
    parts.push({ text: rateText(progress, ratePerSecond), rank: 3 });
    if (known) parts.push({ text: `about ${clock(((total - done) / ratePerSecond) * 1000)} left`, rank: 1 });
  }
  if (text !== '') parts.push({ text, rank: parts.length === 0 ? 0 : 4 });
  return parts;
}

function amountText({ done, total, unit }: Progress): string | undefined {
  const known = total !== undefined && total > 0;
  if (!known && done === 0) return undefined;
  if (unit === 'bytes') return known ? bytesOf(done, total) : bytes(done);
  if (unit === 'seconds')
    return known ? `${clock(done * 1000)} of ${clock(total * 1000)}` : clock(done * 1000);
  return known ? `${count(done)} of ${count(total)} ${unit}` : `${count(done)} ${unit}`;
}

function rateText({ unit }: Progress, ratePerSecond: number): string {
  if (unit === 'bytes') return `${bytes(ratePerSecond)}/s`;
  if (unit === 'seconds') return `${ratePerSecond.toFixed(1)} times as fast as it was written`;
  return `${count(ratePerSecond)} ${unit}/s`;
}
