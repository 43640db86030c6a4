/** Writing for people (coloured where that helps, plain in a pipe) and for scripts (`--json`: one object, one line). */
import pico from 'picocolors';
import { type ErrorReport, renderError, reportError } from './render/error.js';

export interface OutStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Streams {
  readonly stdout: OutStream;
  readonly stderr: OutStream;
}

export type Colors = ReturnType<typeof pico.createColors>;

export interface Output {
  /** Whether `--json` was given: then nothing but one JSON object goes to standard output. */
  readonly json: boolean;
  readonly colors: Colors;
  /** Columns that may be used, 80 where there is no terminal. */
  readonly width: number;
  /** Whether a person sits at a terminal that can be redrawn. */
  readonly interactive: boolean;
  /** The result of a command: the value with `--json`, else what `human` renders. */
  result(value: unknown, human: (colors: Colors) => string): void;
  /** A line of standard output; says nothing with `--json`. */
  line(text?: string): void;
  /** A remark beside the result, on standard error. */
  note(text: string): void;
  /** An error: to standard error, and with `--json` as `{"error": ...}` to standard output. */
  error(thrown: unknown): ErrorReport;
}

export interface OutputOptions {
  readonly json: boolean;
  /** False with `--no-color`. */
  readonly color: boolean;
}

const NARROWEST = 40;
const WIDEST = 120;

/** @param env looked at for NO_COLOR, FORCE_COLOR, TERM and COLUMNS (https://no-color.org) */
export function createOutput(
  streams: Streams,
  env: Readonly<Record<string, string | undefined>>,
  options: OutputOptions,
): Output {
  const { stdout, stderr } = streams;
  const colors = pico.createColors(options.color && wantsColor(stdout, env));
  const errorColors = pico.createColors(options.color && wantsColor(stderr, env));
  const columns = stderr.isTTY === true ? (stderr.columns ?? 80) : Number.POSITIVE_INFINITY;
  const write = (text: string) => stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  const writeJson = (value: unknown) => write(JSON.stringify(value));
  return {
    json: options.json,
    colors,
    width: Math.min(WIDEST, Math.max(NARROWEST, stdout.columns ?? (Number(env.COLUMNS) || 80))),
    interactive: stdout.isTTY === true && env.TERM !== 'dumb' && !options.json,
    result: (value, human) => (options.json ? writeJson(value) : write(human(colors))),
    line: (text = '') => {
      if (!options.json) write(text);
    },
    note: (text) => stderr.write(`${text}\n`),
    error: (thrown) => {
      const report = reportError(thrown, env.MUSTER_DEBUG !== undefined);
      if (options.json) writeJson({ error: report });
      stderr.write(`${renderError(report, errorColors, columns)}\n`);
      return report;
    },
  };
}

function wantsColor(stream: OutStream, env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && env.TERM !== 'dumb';
}
