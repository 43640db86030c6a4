/** Critical business functions tried as HTTP conversations, as a user's client would. */
import { randomUUID } from 'node:crypto';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import type { BusinessFunction } from '../../src/runbook/schema.js';

const ANSWER_MS = 15_000;

/**
 * Holds the conversation of a business function.
 *
 * @param baseUrl where the application answers, without a path
 * @returns what was said, for instance `POST /payments 201, GET /payments/{{uuid}} 200`
 * @throws TransientError `ApplicationUnreachable`; PermanentError `BusinessFunctionFailed` with the exchange that went wrong
 */
export async function converse(
  baseUrl: string,
  { name, exchanges }: BusinessFunction,
  signal: AbortSignal,
): Promise<string> {
  const uuid = randomUUID();
  const fill = (text: string) => text.replaceAll('{{uuid}}', uuid);
  const said: string[] = [];
  for (const exchange of exchanges) {
    const label = `${exchange.method} ${exchange.path}`;
    const answer = await request(
      new URL(fill(exchange.path), baseUrl),
      exchange.method,
      signal,
      exchange.body,
      fill,
    );
    if (answer.status !== exchange.expectStatus) {
      throw failed(name, `${label} answered ${answer.status}, not ${exchange.expectStatus}`, answer.text);
    }
    for (const [field, expected] of Object.entries(exchange.expectBody ?? {})) {
      const wanted = typeof expected === 'string' ? fill(expected) : expected;
      const given = answer.body[field];
      if (given !== wanted) {
        throw failed(
          name,
          `${label} answered ${field} ${JSON.stringify(given)}, not ${JSON.stringify(wanted)}`,
          answer.text,
        );
      }
    }
    said.push(`${label} ${answer.status}`);
  }
  return said.join(', ');
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** @throws TransientError `ApplicationUnreachable` */
export async function request(
  url: URL,
  method: string,
  signal: AbortSignal,
  body?: Readonly<Record<string, string | number | boolean>>,
  fill: (text: string) => string = (text) => text,
): Promise<Answer> {
  try {
    const answer = await fetch(url, {
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: fill(JSON.stringify(body)) }),
    });
    const text = await answer.text();
    return { status: answer.status, text, body: asObject(text) };
  } catch (error) {
    signal.throwIfAborted();
    throw new TransientError(
      'ApplicationUnreachable',
      `${url.origin} does not answer ${method} ${url.pathname}: ${messageOf(error)}.`,
      {
        next: 'See whether the application runs and finds its database; the step tries again by itself for a while.',
        cause: error,
      },
    );
  }
}

function asObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function failed(name: string, what: string, answer: string): PermanentError {
  return new PermanentError(
    'BusinessFunctionFailed',
    `The business function ${name} does not work: ${what}.`,
    {
      why: answer === '' ? 'The answer was empty.' : `It said: ${answer.slice(0, 300)}`,
      next: 'Look at the log of the application, mend what it names, then retry the step.',
    },
  );
}
