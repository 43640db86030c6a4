/** Enters one row through the application's own function, as its users would. */
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { SalvageTable } from '../../src/runbook/schema.js';

type Enter = SalvageTable['enter'];

const ANSWER_MS = 15_000;
const WORDS = 200;
/** The application, or what lies before it, asks to be asked again. */
const AGAIN = new Set([408, 425, 429]);

/**
 * @param row columns of the row
 * @returns null when it is in; else why the application refuses it
 * @throws TransientError `ApplicationUnreachable` when there is no answer, or one that asks to try again; PermanentError
 *   `SalvageUnanswered` when the row lacks a column
 */
export async function enterRow(
  baseUrl: string,
  enter: Enter,
  row: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<string | null> {
  const url = `${baseUrl.replace(/\/$/, '')}${filledPath(enter.path, row)}`;
  const { status, text } = await ask(url, enter, row, signal);
  if (enter.expectStatus.includes(status)) return null;
  if (status >= 500 || AGAIN.has(status)) throw unreachable(url, `status ${status}: ${text}`);
  return `the application answers ${status}: ${text}`;
}

async function ask(
  url: string,
  { method, body }: Enter,
  row: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const filled = Object.fromEntries(
    Object.entries(body).map(([name, value]) => [name, filledValue(value, row)]),
  );
  try {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      redirect: 'manual',
      headers: { connection: 'close', 'content-type': 'application/json' },
      body: JSON.stringify(filled),
    });
    return { status: response.status, text: (await response.text()).slice(0, WORDS) };
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(url, messageOf(error), error);
  }
}

function unreachable(url: string, said: string, cause?: unknown): TransientError {
  return new TransientError(
    'ApplicationUnreachable',
    `The application does not take rows at ${url}: ${said}.`,
    {
      next: 'See whether the application runs; the step tries again by itself for a while, and goes on where it was.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** `{{column}}` alone keeps the type of the value; within other text it becomes text. */
function filledValue(value: string | number | boolean, row: Readonly<Record<string, unknown>>): unknown {
  if (typeof value !== 'string') return value;
  const whole = /^\{\{(\w+)\}\}$/.exec(value)?.[1];
  return whole === undefined ? filledText(value, row, String) : columnOf(whole, row);
}

function filledPath(path: string, row: Readonly<Record<string, unknown>>): string {
  return filledText(path, row, (value) => encodeURIComponent(String(value)));
}

function filledText(
  text: string,
  row: Readonly<Record<string, unknown>>,
  write: (value: unknown) => string,
): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, column: string) => write(columnOf(column, row)));
}

function columnOf(column: string, row: Readonly<Record<string, unknown>>): unknown {
  const value = row[column];
  const exact = typeof value !== 'number' || Number.isSafeInteger(value) || !Number.isInteger(value);
  if (value !== undefined && exact) return value;
  throw new PermanentError(
    'SalvageUnanswered',
    value === undefined
      ? `The rows have no column ${column}.`
      : `${column} is beyond what JSON can hold exactly.`,
    {
      next: 'Correct the query or `enter` in the runbook (scenarios.salvage.tables); a large number is given as text. Then begin salvage again.',
    },
  );
}
