/** A person at a terminal, as far as a program sees one: keys go in, what is drawn comes out. */
import { PassThrough, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import type { InStream } from '../../src/cli/context.js';
import { eventually } from './eventually.js';

const KEYS = { down: '\u001b[B', enter: '\r', interrupt: '\u0003' } as const;

export class TestTerminal {
  readonly stdin: InStream;
  readonly stdout: Writable & { isTTY: true; columns: number; rows: number };
  readonly #keys = new PassThrough();
  #written = '';
  #read = 0;

  constructor() {
    this.stdin = Object.assign(this.#keys, { isTTY: true as const, setRawMode: () => undefined });
    const output = new Writable({
      write: (chunk, _encoding, done) => {
        this.#written += String(chunk);
        done();
      },
    });
    // As that of a process: whoever pipes into it does not end it.
    const end = () => output;
    this.stdout = Object.assign(output, { isTTY: true as const, columns: 80, rows: 24, end });
  }

  /** Everything that was drawn since the last key. */
  get drawn(): string {
    return stripVTControlCharacters(this.#written.slice(this.#read));
  }

  get all(): string {
    return stripVTControlCharacters(this.#written);
  }

  /** Returns once this is on the screen. */
  async sees(text: string | RegExp): Promise<void> {
    await eventually(async () =>
      typeof text === 'string' ? expect(this.drawn).toContain(text) : expect(this.drawn).toMatch(text),
    );
  }

  press(...keys: readonly (keyof typeof KEYS)[]): void {
    this.#read = this.#written.length;
    for (const key of keys) this.#keys.write(KEYS[key]);
  }

  /** Types a line. */
  type(text: string): void {
    this.#read = this.#written.length;
    this.#keys.write(`${text}${KEYS.enter}`);
  }

  /** Moves down until the entry is the chosen one, and takes it. */
  async choose(question: string, entry: string): Promise<void> {
    await this.sees(question);
    for (let moved = 0; moved < 20; moved += 1) {
      const [, chosen = ''] = /❯ ([^\n]*)/.exec(this.all.slice(this.all.lastIndexOf(question))) ?? [];
      if (chosen.startsWith(entry)) return this.press('enter');
      const before = this.#written.length;
      this.#keys.write(KEYS.down);
      await eventually(async () => expect(this.#written.length).toBeGreaterThan(before));
    }
    throw new Error(`no entry ${entry}: ${this.drawn}`);
  }
}
