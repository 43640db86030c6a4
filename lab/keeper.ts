import type { Layout } from './layout.js';
import type { PartKeeper } from './parts/part.js';
import { stopProcess } from './process.js';
import { type LabState, type PartName, type PartState, type WorldState, writeState } from './state.js';
import type { WorldName } from './worlds/index.js';

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

  /** A system that is complete belongs to the lab from then on. */
  async addWorld(name: WorldName, world: WorldState): Promise<void> {
    const { systems, worlds } = this.state;
    await this.update({
      systems: systems.includes(name) ? systems : [...systems, name],
      worlds: { ...worlds, [name]: world },
    });
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
