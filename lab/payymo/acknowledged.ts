import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** A payment that Payymo has answered for. */
export interface Acknowledgement {
  readonly id: string;
  /** When the ledger recorded it: ISO 8601 UTC with microseconds. */
  readonly at: string;
  readonly sequence: number;
  readonly amountCents: number;
  /** When the client got the answer. */
  readonly acknowledgedAt: string;
}

/** Every acknowledged payment, one JSON object a line; on disk before it counts. */
export class AcknowledgedFile {
  #count = 0;
  #last: Acknowledgement | undefined;

  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
  ) {}

  /** Opens the file, made where it is missing, and counts what it holds. */
  static async open(file: string): Promise<AcknowledgedFile> {
    const opened = new AcknowledgedFile(file, await open(file, 'a', 0o644));
    for await (const line of opened.lines({})) {
      opened.#count++;
      opened.#last = JSON.parse(line);
    }
    return opened;
  }

  get count(): number {
    return this.#count;
  }

  get last(): Acknowledgement | undefined {
    return this.#last;
  }

  async add(acknowledgement: Acknowledgement): Promise<void> {
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

/** To UTC with six digits, so that times compare as text without losing microseconds. */
function normalised(time: string): string {
  const fraction = /\.(\d{1,6})/.exec(time)?.[1]?.padEnd(6, '0') ?? '000000';
  const seconds = new Date(time).toISOString().slice(0, 19);
  return `${seconds}.${fraction}Z`;
}
