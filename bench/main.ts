/** `npm run bench`: measures, and says whether what was promised is kept. */
import { CommanderError } from 'commander';
import { MusterError, messageOf } from '../src/errors.js';
import { benchmarks } from './benchmarks.js';
import { describeMachine, sayWhenBusy } from './machine.js';
import { keepsLimit, type Measurement, toJson, toTable } from './measurement.js';
import { type BenchOptions, parseOptions } from './options.js';

const say = (line: string) => void process.stderr.write(`${line}\n`);

run(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(messageOf(error));
    if (error instanceof MusterError) say(error.next);
    else if (error instanceof Error && error.stack !== undefined) say(error.stack);
    process.exit(1);
  },
);

async function run(args: readonly string[]): Promise<number> {
  const options = read(args);
  if (typeof options === 'number') return options;
  const chosen = benchmarks.filter(({ name }) => options.only === undefined || name === options.only);
  await sayWhenBusy(say);
  const measured: Measurement[] = [];
  for (const { name, title, runs, measure } of chosen) {
    say(`${name}: ${title}`);
    const given = await measure({
      sizeBytes: options.size * 1e9,
      runs: options.runs ?? runs,
      say: (line) => say(`  ${line}`),
      tell: (line) => options.verbose && say(`    ${line}`),
    });
    measured.push(...[given].flat());
  }
  if (options.json) process.stdout.write(`${toJson(measured)}\n`);
  else print(measured, options);
  return measured.every(keepsLimit) ? 0 : 1;
}

function read(args: readonly string[]): BenchOptions | number {
  try {
    return parseOptions(
      args,
      benchmarks.map(({ name }) => name),
    );
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  }
}

function print(measured: readonly Measurement[], { size }: BenchOptions): void {
  const notes = measured.flatMap(({ name, note }) => (note === undefined ? [] : [`${name}: ${note}`]));
  const lines = ['', ...toTable(measured), '', ...notes, `${describeMachine()}; ledger of ${size} GB`];
  for (const line of lines) process.stdout.write(`${line}\n`);
}
