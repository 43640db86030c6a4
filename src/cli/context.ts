/** What every command gets: where to write, where runbooks are, how it ends. */
import type { Command } from 'commander';
import { createOutput, type Output, type Streams } from './output.js';
import { chooseRunbooksFolder, type RunbooksFolder } from './runbooks-folder.js';

/** What the program ends with; scripts rely on it. */
export const exitCodes = {
  done: 0,
  /** The recovery failed, or the command could not do its work. */
  failed: 1,
  /** What was given is wrong; nothing has started. */
  badInput: 2,
  /** A run goes on and waits for a person. */
  waits: 3,
  /** Ctrl-C, as shells count it; what was being watched goes on. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command's file exports this as `register`: it adds the command, its options, its help and its action. */
export type Register = (program: Command, context: CliContext) => void;

/** Where a person types. */
export type InStream = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** What the world gives the program; tests give their own. */
export interface CliWorld {
  readonly streams: Streams;
  /** Absent where nobody types. */
  readonly stdin?: InStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Of Muster, for `--version`. */
  readonly version: string;
}

/** Options that stand before or after any command. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly color?: boolean;
  readonly runbooks?: string;
}

export class CliContext {
  #exitCode: ExitCode = exitCodes.done;
  #output: Output | undefined;

  constructor(
    readonly world: CliWorld,
    private readonly options: () => GlobalOptions,
  ) {}

  /** Where to write. Made when first used: by then the options are read. */
  get out(): Output {
    const { json, color } = this.options();
    this.#output ??= createOutput(this.world.streams, this.world.env, {
      json: json === true,
      color: color !== false,
    });
    return this.#output;
  }

  /** Where a person sits at a terminal, can be asked and answers; undefined where nobody is. */
  get person(): { readonly input: InStream; readonly output: NodeJS.WritableStream } | undefined {
    const { stdin, streams } = this.world;
    if (!this.out.interactive || stdin?.isTTY !== true) return undefined;
    return { input: stdin, output: streams.stdout as NodeJS.WritableStream };
  }

  /** The folder of the runbooks, and what named it. */
  runbooks(): Promise<RunbooksFolder> {
    return chooseRunbooksFolder(this.options().runbooks, this.world);
  }

  /** Ends the program with this code once the command's action is over. */
  finishWith(code: ExitCode): void {
    this.#exitCode = code;
  }

  get exitCode(): ExitCode {
    return this.#exitCode;
  }
}
