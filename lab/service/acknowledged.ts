import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { Answer } from './http.js';

/** A record that a system has answered for, with whatever else is worth keeping of it. */
export interface Acknowledgement {
  readonly id: string;
  /** When the database recorded it: ISO 8601 UTC with microseconds. */
  readonly at: string;
  /** When the client got the answer. */
  readonly acknowledgedAt: string;
}

/** Every acknowledged record, one JSON object a line; on disk before it counts. */
export class AcknowledgedFile<T extends Acknowledgement = Acknowledgement> {
  #count = 0;
  #last: T | undefined;

  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
  ) {}

  /** Opens the file, made where it is missing, and counts what it holds. */
  static async open<T extends Acknowledgement>(file: string): Promise<AcknowledgedFile<T>> {
    const opened = new AcknowledgedFile<T>(file, await open(file, 'a', 0o644));
    for await (const line of opened.lines({})) {
      opened.#count++;
      opened.#last = JSON.parse(line);
    }
    return opened;
  }

  get count(): number {
    return this.#count;
  }

  get last(): T | undefined {
    return this.#last;
  }

  async add(acknowledgement: T): Promise<void> {
    await this.handle.write(`${JSON.stringify(acknowledgement)}\n`);
    await this.handle.datasync();
    this.#count++;
    this.#last = acknowledgement;
  }

  /** Lines with `since <= at < until`. Read as a stream; a line that is being written just now is left out. */
  async *lines(bounds: { since?: string | undefined; until?: string | undefined }): AsyncGenerator<string> {
    const since = bounds.since === undefined ? '' : normalised(bounds.since);
    const until = bounds.until === undefined ? '~' : normalised(bounds.until);
    for await (const line of createInterface({ input: createReadStream(this.file) })) {
      if (!line.endsWith('}')) continue;
      const { at } = JSON.parse(line) as Acknowledgement;
      if (at >= since && at < until) yield `${line}\n`;
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

/** Answers `?since=ISO&until=ISO` with the lines between them; undefined: answered already. */
export async function streamAcknowledged(
  file: AcknowledgedFile,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<Answer | undefined> {
  const bounds = { since: query.get('since') ?? undefined, until: query.get('until') ?? undefined };
  const wrong = Object.entries(bounds).find(
    ([, value]) => value !== undefined && Number.isNaN(Date.parse(value)),
  );
  if (wrong)
    return { status: 400, body: { error: `${wrong[0]} must be a time such as 2026-01-31T03:02:11Z` } };
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  await pipeline(file.lines(bounds), response);
  return undefined;
}

/** To UTC with six digits, so that times compare as text without losing microseconds. */
function normalised(time: string): string {
  const fraction = /\.(\d{1,6})/.exec(time)?.[1]?.padEnd(6, '0') ?? '000000';
  const seconds = new Date(time).toISOString().slice(0, 19);
  return `${seconds}.${fraction}Z`;
}
