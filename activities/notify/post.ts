/** One HTTP request to a receiver of notices, and what its answer means for trying again. */
import { readFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import { rootCertificates } from 'node:tls';
import { messageOf, PermanentError, TransientError } from '../../src/errors.js';
import { activitySignal } from '../context.js';

/** How long a receiver may take, in milliseconds. */
export interface Patience {
  readonly connectMs: number;
  readonly wholeMs: number;
}

export interface Post {
  /** Names the receiver in errors, for instance `ops-chat (slack)`. */
  readonly receiver: string;
  /** May be a secret: it appears in no error. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** Certificate authority besides the usual ones. */
  readonly caFile?: string | undefined;
  /** What must never be seen in an error, should the receiver echo it. */
  readonly secrets: readonly string[];
}

/** Trying again cannot help with these: somebody has to correct the channel. */
const FOR_GOOD = [400, 401, 403, 404, 410];
const LONGEST_RETRY_AFTER_MS = 3_600_000;
const MOST_BYTES = 4_096;

/**
 * Posts JSON. Redirects are not followed: they could lead a secret elsewhere.
 *
 * @throws PermanentError `NoticeRefused` for answers that cannot heal
 * @throws TransientError `NoticeNotDelivered` for all else; detail `retryAfterMs` where the receiver says so (RFC 9110,
 *   Retry-After, held to an hour at most)
 */
export async function post(what: Post, patience: Patience): Promise<void> {
  const answer = await exchange(what, patience);
  if (answer.status >= 200 && answer.status < 300) return;
  const said = concealed(answer.body.replace(/\s+/g, ' ').trim().slice(0, 200), what.secrets);
  const words = `it answered ${answer.status}${said === '' ? '' : ` (${said})`}`;
  if (FOR_GOOD.includes(answer.status)) throw refused(what.receiver, words);
  throw undelivered(what.receiver, words, retryAfterMs(answer.retryAfter, Date.now()));
}

export function refused(receiver: string, why: string): PermanentError {
  return new PermanentError('NoticeRefused', `${receiver} does not take notices: ${why}.`, {
    next: 'Correct this channel under notifications in the runbook, or its secret; try it with muster notify test.',
  });
}

export function undelivered(receiver: string, why: string, afterMs?: number): TransientError {
  return new TransientError('NoticeNotDelivered', `${receiver} was not told: ${why}.`, {
    next: 'It is tried again by itself for a day; tell its people another way meanwhile.',
    ...(afterMs === undefined ? {} : { details: { retryAfterMs: afterMs } }),
  });
}

/** The text without the secrets, also where they stand in it in Base64. */
export function concealed(text: string, secrets: readonly string[]): string {
  const forms = secrets
    .filter((secret) => secret.length > 3)
    .flatMap((secret) => [secret, Buffer.from(secret).toString('base64')]);
  return forms.reduce((rest, form) => rest.replaceAll(form, '***'), text);
}

/** @param header seconds, or a date (RFC 9110, section 10.2.3) */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? undefined : Math.min(LONGEST_RETRY_AFTER_MS, Math.max(0, ms));
}

/** The usual authorities and the given one. @throws PermanentError `NoticeRefused` when the file cannot be read */
export async function authorities(
  receiver: string,
  caFile: string | undefined,
): Promise<string[] | undefined> {
  if (caFile === undefined) return undefined;
  try {
    return [...rootCertificates, await readFile(caFile, 'utf8')];
  } catch (error) {
    throw refused(receiver, `its caFile cannot be read (${messageOf(error)})`);
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | undefined;
}

async function exchange(what: Post, patience: Patience): Promise<Answer> {
  const { receiver, headers, body, caFile, secrets } = what;
  if (!URL.canParse(what.url)) throw refused(receiver, 'its address is not a URL');
  const url = new URL(what.url);
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') throw refused(receiver, 'its address is not http:// or https://');
  const ca = await authorities(receiver, caFile);
  const signal = activitySignal();
  const options = {
    method: 'POST',
    agent: false,
    signal,
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'muster',
      ...headers,
    },
    ...(ca === undefined ? {} : { ca }),
  } as const;
  return new Promise<Answer>((resolve, reject) => {
    const request = (secure ? secureRequest : plainRequest)(url, options);
    const end = (settle: () => void) => {
      clearTimeout(connecting);
      clearTimeout(answering);
      settle();
      request.destroy();
    };
    const fail = (error: Error) =>
      end(() => reject(signal.aborted ? error : undelivered(receiver, concealed(reasonOf(error), secrets))));
    const limit = (afterMs: number, words: string) =>
      setTimeout(() => fail(new Error(`${words} within ${afterMs / 1_000} s`)), afterMs);
    const connecting = limit(patience.connectMs, 'no connection');
    const answering = limit(patience.wholeMs, 'no answer');
    request.on('error', fail);
    request.on('socket', (socket) =>
      socket.once(secure ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
    );
    request.on('response', (response) => {
      let text = '';
      const answered = () =>
        end(() =>
          resolve({
            status: response.statusCode ?? 0,
            body: text,
            retryAfter: response.headers['retry-after'],
          }),
        );
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_BYTES) answered();
      });
      response.on('end', answered);
      response.on('close', () => fail(new Error('it hung up in the middle of its answer')));
    });
    request.end(body);
  });
}

/** What went wrong on the wire. Of several addresses that were tried, the first tells. */
export function reasonOf(error: unknown): string {
  const tried = (error as { errors?: unknown }).errors;
  return messageOf(Array.isArray(tried) && tried.length > 0 ? tried[0] : error);
}
