import type { Layout } from './layout.js';
import type { PartKeeper } from './parts/part.js';
import { stopProcess } from './process.js';
import { type LabState, type PartName, type PartState, writeState } from './state.js';

/** The state of a lab while it is being started; written after every change. */
export class World implements PartKeeper {
  readonly #started = new Set<PartName>();
  #writing: Promise<void> = Promise.resolve();

  constructor(
    readonly layout: Layout,
    public state: LabState,
    readonly log: (line: string) => void,
  ) {}

  known(name: PartName): PartState | undefined {
    return this.state.parts[name];
  }

  async started(name: PartName, part: PartState): Promise<void> {
    this.#started.add(name);
    await this.update({ parts: { ...this.state.parts, [name]: part } });
  }

  async update(change: Partial<LabState>): Promise<void> {
    this.state = { ...this.state, ...change };
    this.#writing = this.#writing.then(() => writeState(this.layout, this.state));
    await this.#writing;
  }

  async stopStarted(): Promise<void> {
    const parts = { ...this.state.parts };
    await Promise.all(
      [...this.#started].map(async (name) => {
        const part = parts[name];
        if (part) await stopProcess(part, part.stopSignal);
        delete parts[name];
      }),
    );
    await this.update({ parts });
  }
}
