import { wrap } from './line.js';

const UNBROKEN = '\u00a0';

/** Breaks a text at spaces, but never between a number and its unit. */
export function wrapText(text: string, width: number): string[] {
  const held = text.replace(/(\d) (ms|s|min|h|d)\b/g, `$1${UNBROKEN}$2`);
  return wrap(held, width).map((line) => line.replaceAll(UNBROKEN, ' '));
}
