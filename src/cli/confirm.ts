/** Asking a person at a terminal to mean it. */
import { createInterface } from 'node:readline/promises';
import { RefusedError } from '../errors.js';
import type { CliContext } from './context.js';

/**
 * Asks for a word to be typed. Where no terminal is there, nobody can be asked and nothing is asked.
 *
 * @param word what must be typed, exactly
 * @throws RefusedError `NotConfirmed` when something else was typed, or nothing
 */
export async function confirmByTyping(context: CliContext, question: string, word: string): Promise<void> {
  const { person } = context;
  if (person === undefined) return;
  const terminal = createInterface(person);
  const gone = new AbortController();
  terminal.once('close', () => gone.abort());
  const typed = await terminal.question(`${question} `, { signal: gone.signal }).catch(() => '');
  terminal.close();
  if (typed.trim() === word) return;
  throw new RefusedError('NotConfirmed', `Not confirmed: ${word} was not typed. Nothing was done.`, {
    next: 'Give the command again and type it, or use --yes in scripts.',
  });
}
