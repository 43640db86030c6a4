/** Programs that the set-up starts: everything they say goes to a log, and they end when the set-up does. */

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/** @type {Set<() => void>} */
const endings = new Set();
let watching = false;

/**
 * Registers what must be undone when the set-up is interrupted.
 * @param {() => void} undo
 * @returns {() => void} forgets it again
 */
export function onEnd(undo) {
  if (!watching) {
    watching = true;
    for (const [signal, code] of /** @type {const} */ ([
      ['SIGINT', 130],
      ['SIGTERM', 143],
      ['SIGHUP', 129],
    ])) {
      process.on(signal, () => {
        if (endings.size === 0 && process.listenerCount(signal) > 1) return;
        for (const ending of [...endings].reverse()) ending();
        process.exit(code);
      });
    }
  }
  endings.add(undo);
  return () => {
    endings.delete(undo);
  };
}

export class CommandFailed extends Error {
  /**
   * @param {string} command
   * @param {string} ending how it ended
   * @param {string} tail its last lines
   */
  constructor(command, ending, tail) {
    super(`${command} ${ending}`);
    this.tail = tail;
  }
}

/**
 * @typedef {object} RunOptions
 * @property {string} log file that everything it says is added to
 * @property {(line: string) => void} [onLine]
 * @property {Readonly<Record<string, string | undefined>>} [env]
 * @property {string} [cwd]
 * @property {number} [timeoutMs]
 */

/**
 * @param {string} file
 * @param {readonly string[]} args
 * @param {RunOptions} options
 * @returns {Promise<string>} its standard output
 * @throws CommandFailed when it does not start, fails or takes too long
 */
export async function run(file, args, { log, onLine, env = process.env, cwd, timeoutMs = 30 * 60_000 }) {
  mkdirSync(path.dirname(log), { recursive: true });
  const sink = openSync(log, 'a');
  const shown = [file, ...args].map(quote).join(' ');
  writeSync(sink, `\n$ ${shown}\n`);
  /** @type {string[]} */
  const tail = [];
  /** @type {string[]} */
  const output = [];
  // A group of its own: what it starts ends with it.
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // Already gone.
    }
  };
  const forget = onEnd(end);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    end();
  }, timeoutMs);
  for (const [stream, keep] of /** @type {const} */ ([
    [child.stdout, true],
    [child.stderr, false],
  ])) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (/** @type {string} */ chunk) => {
      writeSync(sink, chunk);
      if (keep) output.push(chunk);
      const lines = (rest + chunk).split(/[\r\n]+/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.trim() === '') continue;
        tail.push(line);
        if (tail.length > 8) tail.shift();
        onLine?.(line.trim());
      }
    });
  }
  try {
    const ending = await new Promise((resolve) => {
      child.once('error', (error) => resolve(`did not start: ${error.message}`));
      child.once('close', (code, signal) =>
        resolve(code === 0 ? null : signal ? `was ended by ${signal}` : `ended with exit code ${code}`),
      );
    });
    if (ending === null) return output.join('');
    throw new CommandFailed(
      shown,
      late ? `took longer than ${timeoutMs / 1000} s` : String(ending),
      tail.join('\n'),
    );
  } finally {
    clearTimeout(timer);
    forget();
    closeSync(sink);
  }
}

/** @param {string} word */
export function quote(word) {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
