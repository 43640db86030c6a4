/** Progress on standard error: a line a job that is redrawn on a terminal, plain lines in a file. */

import process from 'node:process';

const REDRAW_MS = 200;
const REMIND_MS = 30_000;

/**
 * @typedef {object} Progress
 * @property {(id: string, title: string, takes: string) => void} begin
 * @property {(id: string, line: string) => void} say the newest line of the job's output
 * @property {(id: string, outcome: string) => void} done
 * @property {(text: string) => void} note
 */

/**
 * @param {{ isTTY?: boolean, columns?: number, write: (text: string) => unknown }} [stream]
 * @param {() => number} [now] milliseconds
 * @returns {Progress}
 */
export function createProgress(stream = process.stderr, now = () => performance.now()) {
  return stream.isTTY === true ? live(stream, now) : plain(stream, now);
}

/** @param {number} ms */
export function seconds(ms) {
  const whole = Math.round(ms / 1000);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
}

/**
 * @param {{ write: (text: string) => unknown }} stream
 * @param {() => number} now
 * @returns {Progress}
 */
function plain(stream, now) {
  /** @type {Map<string, { title: string, begun: number, line: string, timer: NodeJS.Timeout }>} */
  const jobs = new Map();
  return {
    begin(id, title, takes) {
      const begun = now();
      stream.write(`set-up: ${title} (${takes})\n`);
      const timer = setInterval(() => {
        const line = jobs.get(id)?.line ?? '';
        stream.write(`set-up: ${title}: ${seconds(now() - begun)}${line === '' ? '' : `, ${line}`}\n`);
      }, REMIND_MS);
      timer.unref();
      jobs.set(id, { title, begun, line: '', timer });
    },
    say(id, line) {
      const job = jobs.get(id);
      if (job !== undefined) job.line = line;
    },
    done(id, outcome) {
      const job = jobs.get(id);
      if (job === undefined) return;
      clearInterval(job.timer);
      jobs.delete(id);
      stream.write(`set-up: ${job.title}: ${outcome}, ${seconds(now() - job.begun)}\n`);
    },
    note(text) {
      stream.write(`set-up: ${text}\n`);
    },
  };
}

/**
 * @param {{ columns?: number, write: (text: string) => unknown }} stream
 * @param {() => number} now
 * @returns {Progress}
 */
function live(stream, now) {
  /** @type {Map<string, { title: string, takes: string, begun: number, line: string }>} */
  const jobs = new Map();
  let drawn = 0;
  /** @type {NodeJS.Timeout | null} */
  let timer = null;
  const erase = () => {
    if (drawn > 0) stream.write(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  const draw = () => {
    erase();
    for (const job of jobs.values()) {
      const detail = job.line === '' ? job.takes : job.line;
      const text = `  ${seconds(now() - job.begun).padStart(11)}  ${job.title}  ${detail}`;
      stream.write(`${text.slice(0, (stream.columns || 80) - 1)}\n`);
      drawn += 1;
    }
  };
  /** @param {string} text */
  const above = (text) => {
    erase();
    stream.write(`${text}\n`);
    draw();
  };
  return {
    begin(id, title, takes) {
      jobs.set(id, { title, takes, begun: now(), line: '' });
      timer ??= setInterval(draw, REDRAW_MS).unref();
      draw();
    },
    say(id, line) {
      const job = jobs.get(id);
      // Control characters of the job's own progress would tear the picture.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is removed
      if (job !== undefined) job.line = line.replace(/\x1b\[[0-9;]*[A-Za-z]|[\x00-\x1f]/g, '');
    },
    done(id, outcome) {
      const job = jobs.get(id);
      if (job === undefined) return;
      jobs.delete(id);
      above(`  ${seconds(now() - job.begun).padStart(11)}  ${job.title}: ${outcome}`);
      if (jobs.size > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    },
    note: above,
  };
}
