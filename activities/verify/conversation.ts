/** Trying what an application is for: the exchanges of a business function, over HTTP. */
import { randomUUID } from 'node:crypto';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { BusinessFunction } from '../../src/runbook/schema.js';

export interface ConversationOptions {
  readonly signal: AbortSignal;
  /** For one exchange. */
  readonly timeoutMs?: number;
}

export interface ConversationResult {
  readonly name: string;
  readonly title: string;
  readonly durationMs: number;
  /** What stood for `{{uuid}}`, so that traces of the trial can be told from real data. */
  readonly uuid: string;
  /** The answers, as JSON text or as it came, cut short. */
  readonly answers: readonly string[];
}

type Exchange = BusinessFunction['exchanges'][number];
type Fields = NonNullable<Exchange['body']>;

const EXCHANGE_MS = 10_000;
const ANSWER_BYTES = 256 * 1024;

/**
 * Holds a conversation with an application: each exchange in turn, each answer compared with what the runbook expects. One
 * new UUID stands for `{{uuid}}` in all of them.
 *
 * @param baseUrl where the application answers, without the path
 * @throws PermanentError `ConversationFailed` when an answer is not the expected one; TransientError
 *   `ApplicationUnreachable` when none comes
 */
export async function converse(
  baseUrl: string,
  business: BusinessFunction,
  options: ConversationOptions,
): Promise<ConversationResult> {
  const begun = performance.now();
  const uuid = randomUUID();
  const answers: string[] = [];
  for (const exchange of business.exchanges) {
    const answer = await exchangeOnce(baseUrl, business, exchange, uuid, options);
    requireExpected(baseUrl, business, exchange, uuid, answer);
    answers.push(answer.text.slice(0, 200));
  }
  return {
    name: business.name,
    title: business.title,
    durationMs: Math.round(performance.now() - begun),
    uuid,
    answers,
  };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function exchangeOnce(
  baseUrl: string,
  business: BusinessFunction,
  exchange: Exchange,
  uuid: string,
  options: ConversationOptions,
): Promise<Answer> {
  const url = joinUrl(baseUrl, filled(exchange.path, uuid));
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs ?? EXCHANGE_MS)]);
  try {
    const response = await fetch(url, {
      method: exchange.method,
      signal,
      // A connection kept open would lead to where the name led before.
      headers: {
        connection: 'close',
        ...(exchange.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(exchange.body === undefined ? {} : { body: JSON.stringify(filledFields(exchange.body, uuid)) }),
    });
    return { status: response.status, text: await readSome(response) };
  } catch (error) {
    options.signal.throwIfAborted();
    throw new TransientError(
      'ApplicationUnreachable',
      `The application does not answer ${exchange.method} ${url} (${business.name}, ${exchange.title}): ${messageOf(error)}.`,
      { next: 'See whether the application runs; the step tries again by itself for a while.', cause: error },
    );
  }
}

function requireExpected(
  baseUrl: string,
  business: BusinessFunction,
  exchange: Exchange,
  uuid: string,
  answer: Answer,
): void {
  const wrong: string[] = [];
  if (answer.status !== exchange.expectStatus) {
    wrong.push(`status ${answer.status} instead of ${exchange.expectStatus}`);
  }
  if (exchange.expectBody !== undefined) {
    const body = parsedObject(answer.text);
    if (body === undefined) wrong.push('the answer is not a JSON object');
    for (const [field, expected] of Object.entries(filledFields(exchange.expectBody, uuid))) {
      if (body !== undefined && body[field] !== expected) {
        wrong.push(
          `${field} is ${JSON.stringify(body[field]) ?? 'missing'} instead of ${JSON.stringify(expected)}`,
        );
      }
    }
  }
  if (wrong.length === 0) return;
  throw new PermanentError(
    'ConversationFailed',
    `${business.title} (${business.name}): ${exchange.title}, ${exchange.method} ${joinUrl(baseUrl, filled(exchange.path, uuid))}: ${wrong.join('; ')}.`,
    {
      ...(answer.text === '' ? {} : { why: `The answer was: ${answer.text.slice(0, 300)}` }),
      next: 'Look at the log of the application; correct the runbook (applications.<name>.functions) if it expects the wrong thing.',
      details: { function: business.name, exchange: exchange.title, status: answer.status },
    },
  );
}

function joinUrl(baseUrl: string, path: string): string {
  return `${baseUrl.replace(/\/$/, '')}${path}`;
}

function filled(text: string, uuid: string): string {
  return text.replaceAll('{{uuid}}', uuid);
}

function filledFields(fields: Fields, uuid: string): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? filled(value, uuid) : value,
    ]),
  );
}

function parsedObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The beginning of a body; an application gone wrong may send without end. */
async function readSome(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length > ANSWER_BYTES) {
      await reader.cancel();
      return text;
    }
  }
}
