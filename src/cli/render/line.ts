/**
 * Lines made of styled pieces. Widths are measured and cut before colours are added, so a screen is laid out the same with
 * and without colour and never wraps.
 */
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';
import stringWidth from 'string-width';

export type Style = 'plain' | 'strong' | 'dim' | 'good' | 'best' | 'bad' | 'warn' | 'busy';

export interface Piece {
  readonly text: string;
  readonly style: Style;
}

/** A string is a piece of plain style. */
export type Line = readonly (Piece | string)[];

export const strong = (text: string): Piece => ({ text, style: 'strong' });
export const dim = (text: string): Piece => ({ text, style: 'dim' });
export const good = (text: string): Piece => ({ text, style: 'good' });
/** The verdict when all is well. */
export const best = (text: string): Piece => ({ text, style: 'best' });
export const bad = (text: string): Piece => ({ text, style: 'bad' });
export const warn = (text: string): Piece => ({ text, style: 'warn' });
export const busy = (text: string): Piece => ({ text, style: 'busy' });

/** Text from outside as one line: no control characters, so that no summary can move the cursor of who reads it. */
export function plain(text: string): string {
  return (
    stripVTControlCharacters(text)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]+/g, ' ')
      .trim()
  );
}

/** Columns that a text takes in a terminal. */
export function widthOf(text: string): number {
  return isAscii(text) ? text.length : stringWidth(text);
}

// Nearly all text is, and then each character is one column: screens are drawn twice a second.
function isAscii(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** Columns that a line takes before it is cut. */
export function lineWidth(line: Line): number {
  return widthOf(line.map((piece) => asPiece(piece).text).join(''));
}

const segmenter = new Intl.Segmenter();

/** As much of the text as fits into `width` columns. */
function headOf(text: string, width: number): string {
  if (isAscii(text)) return text.slice(0, Math.max(0, width));
  let kept = '';
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment);
    if (used > width) break;
    kept += segment;
  }
  return kept;
}

/** The text in at most `width` columns; what does not fit gives way to an ellipsis. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  return width <= 0 ? '' : `${headOf(text, width - 1).trimEnd()}…`;
}

/** The text in exactly `width` columns. */
export function pad(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const fitted = cut(text, width);
  const space = ' '.repeat(Math.max(0, width - widthOf(fitted)));
  return side === 'left' ? fitted + space : space + fitted;
}

/** Breaks a text into lines of at most `width` columns: at spaces, and inside of a word only where it is longer than a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (widthOf(longer) <= width) {
      current = longer;
      continue;
    }
    if (current !== '') lines.push(current);
    current = word;
    while (widthOf(current) > width && width > 1) {
      const head = headOf(current, width);
      if (head === '') break;
      lines.push(head);
      current = current.slice(head.length);
    }
  }
  if (current !== '') lines.push(current);
  return lines;
}

type Paint = (text: string) => string;

function paints(colour: boolean): Readonly<Record<Style, Paint>> {
  const c = pc.createColors(colour);
  return {
    plain: (text) => text,
    strong: c.bold,
    dim: c.dim,
    good: c.green,
    best: (text) => c.bold(c.green(text)),
    bad: (text) => c.bold(c.red(text)),
    warn: (text) => c.bold(c.yellow(text)),
    busy: c.cyan,
  };
}

/** One line as it is written: cut to `width` columns, coloured only where asked, no space at its end. */
export function paintLine(line: Line, width: number, colour: boolean): string {
  const paint = paints(colour);
  const shown = fitted(line, width);
  return shown.map(({ text, style }) => (text === '' ? '' : paint[style](text))).join('');
}

function fitted(line: Line, width: number): Piece[] {
  const tooLong = lineWidth(line) > width && lineWidth(trimEnd(line)) > width;
  const shown: Piece[] = [];
  let room = tooLong ? width - 1 : width;
  for (const piece of line) {
    const { text, style } = asPiece(piece);
    const head = headOf(text, room);
    shown.push({ text: head, style });
    if (head !== text) break;
    room -= widthOf(head);
  }
  return tooLong ? [...trimEnd(shown), { text: '…', style: 'plain' }] : trimEnd(shown);
}

function asPiece(piece: Piece | string): Piece {
  return typeof piece === 'string' ? { text: piece, style: 'plain' } : piece;
}

function trimEnd(line: Line): Piece[] {
  const pieces = line.map(asPiece);
  while (pieces.length > 0) {
    const { text, style } = pieces.pop() as Piece;
    const trimmed = text.trimEnd();
    if (trimmed !== '') return [...pieces, { text: trimmed, style }];
  }
  return [];
}
