import { widthOf, wrap } from './line.js';

const UNBROKEN = '\u00a0';

/** Breaks a text at spaces, but never between a number and its unit. */
export function wrapText(text: string, width: number): string[] {
  const held = text.replace(/(\d) (ms|s|min|h|d)\b/g, `$1${UNBROKEN}$2`);
  return wrap(held, width).map((line) => line.replaceAll(UNBROKEN, ' '));
}

/**
 * A label and a text beside it, whose further lines begin under its first. A word is never cut: it may be a path or a command.
 */
export function hanging(label: string, text: string, width: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const current = lines.at(-1) as string;
    const longer = current === '' ? word : `${current} ${word}`;
    if (current === '' || widthOf(label) + widthOf(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return `${label}${lines.join(`\n${' '.repeat(label.length)}`)}`;
}
