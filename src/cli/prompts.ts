/** Questions to the person at the terminal. */
import type { CliContext } from './context.js';

export interface Pick<T> {
  readonly value: T;
  readonly name: string;
  /** Shown while it is the one that would be picked. */
  readonly description?: string;
}

/** The person has left with Ctrl-C, or the terminal is gone: nothing more is asked. */
export class LeftError extends Error {
  override readonly name = 'LeftError';
}

type Terminal = NonNullable<CliContext['person']>;

export class Prompts {
  constructor(private readonly terminal: Terminal) {}

  /** @throws LeftError */
  async pick<T>(message: string, choices: readonly Pick<T>[]): Promise<T> {
    const { default: select } = await import('@inquirer/select');
    return this.#asked(() => select({ message, choices, loop: false, pageSize: 12 }, this.terminal));
  }

  /**
   * @param problem says what is wrong with an answer; undefined where it is right
   * @throws LeftError
   */
  async ask(
    message: string,
    problem: (answer: string) => string | undefined = () => undefined,
  ): Promise<string> {
    const { default: input } = await import('@inquirer/input');
    const validate = (answer: string) => problem(answer.trim()) ?? true;
    return (await this.#asked(() => input({ message, validate }, this.terminal))).trim();
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof Error && error.name === 'ExitPromptError')
        throw new LeftError('left', { cause: error });
      throw error;
    }
  }
}
