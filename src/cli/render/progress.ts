/** What a running step is doing, as much of it as a column holds. */
import type { Progress } from '../../model/run.js';
import { cut, dim, type Line, type Piece, plain, widthOf } from './line.js';
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

/** A part that does not fit is only begun where this much of it can be read. */
const WORTH_CUTTING = 14;

/**
 * `71 %, 6.2 of 8.7 GB, 104 MB/s, about 0:24 left, copying files`: the least telling parts are left out where there is no
 * room; the first of those is cut short at the end where enough of it can be read.
 *
 * @param width columns there are
 */
export function workLine(work: Work, width: number): Line {
  const parts = partsOf(work);
  const kept = new Set<Part>();
  let room = width;
  let partial: Part | undefined;
  for (const part of [...parts].sort((a, b) => a.rank - b.rank)) {
    const taken = widthOf(part.text) + (kept.size === 0 ? 0 : 2);
    if (taken > room && kept.size > 0) {
      partial = { ...part, text: cut(part.text, room - 2) };
      break;
    }
    kept.add(part);
    room -= taken;
  }
  const shown = parts.filter((part) => kept.has(part));
  if (partial !== undefined && room - 2 >= WORTH_CUTTING) shown.push(partial);
  return shown.flatMap(
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
  if (overMs > 0) add(`${clock(overMs)} over budget`, 'warn', 3);
  if (attempt > 1) add(`attempt ${attempt}`, 'warn', 2);
  if (attempt > 1 && lastFailure !== undefined) add(`before: ${plain(lastFailure)}`, 'warn', 6);
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
    if (known && total > done) add(`about ${clock(((total - done) / ratePerSecond) * 1000)} left`, 1);
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
