/** What a running step is doing, as much of it as a column holds. */
import type { Progress } from '../../model/run.js';
import { dim, type Line, type Piece, plain, warn, widthOf } from './line.js';
import { bytes, bytesOf, clock, count, percent } from './units.js';

export interface Work {
  /** What is said where nothing is reported. */
  readonly title: string;
  readonly progress?: Progress | undefined;
  /** From 1. */
  readonly attempt: number;
  readonly lastFailure?: string | undefined;
  /** By how much the budget is exceeded; 0 where it is not. */
  readonly overMs: number;
}

interface Part {
  readonly text: string;
  readonly style: Piece['style'];
  /** The highest goes first when there is no room; 0 stays. */
  readonly rank: number;
}

/**
 * `71 %, 6.2 of 8.7 GB, 104 MB/s, about 0:24 left, copying files`: whole parts only, the least telling one left out first.
 * @param width columns there are
 */
export function workLine(work: Work, width: number): Line {
  let parts = partsOf(work);
  while (parts.length > 1 && widthOf(parts.map(({ text }) => text).join(', ')) > width) {
    const last = Math.max(...parts.map(({ rank }) => rank));
    parts = parts.filter(({ rank }) => rank !== last);
  }
  return parts.flatMap(
    ({ text, style }, index): Line => [...(index === 0 ? [] : [dim(', ')]), { text, style }],
  );
}

export function workText(work: Work, width: number): string {
  return workLine(work, width)
    .map((piece) => (typeof piece === 'string' ? piece : piece.text))
    .join('');
}

function partsOf({ title, progress, attempt, lastFailure, overMs }: Work): Part[] {
  const parts: Part[] = progress === undefined ? [] : progressParts(progress);
  const add = (text: string, style: Piece['style'], rank: number) => parts.push({ text, style, rank });
  if (overMs > 0) add(`${clock(overMs)} over budget`, warn('').style, 2);
  if (attempt > 1) add(`attempt ${attempt}`, warn('').style, 1);
  if (attempt > 1 && lastFailure !== undefined) add(`before: ${plain(lastFailure)}`, warn('').style, 6);
  const said = plain(progress?.text ?? '') || plain(title);
  if (said !== '') add(said, 'plain', 7);
  return parts;
}

function progressParts(progress: Progress): Part[] {
  const { done, total, ratePerSecond } = progress;
  const parts: Part[] = [];
  const add = (text: string, rank: number) => parts.push({ text, style: 'plain', rank });
  const known = total !== undefined && total > 0;
  if (known) add(percent(done, total), 0);
  const amount = amountText(progress);
  if (amount !== undefined) add(amount, known ? 4 : 0);
  if (ratePerSecond !== undefined && ratePerSecond > 0) {
    const rate = rateText(progress, ratePerSecond);
    if (rate !== undefined) add(rate, 5);
    if (known && total > done) add(`about ${clock(((total - done) / ratePerSecond) * 1000)} left`, 3);
  }
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

function rateText({ unit }: Progress, ratePerSecond: number): string | undefined {
  if (unit === 'seconds') return undefined;
  return unit === 'bytes' ? `${bytes(ratePerSecond)}/s` : `${count(ratePerSecond)} ${unit}/s`;
}
