/** The command line of the benchmarks. */
import { Command, InvalidArgumentError, Option } from 'commander';

export interface BenchOptions {
  readonly json: boolean;
  readonly only?: string;
  /** Gigabytes. */
  readonly size: number;
  /** Absent: as often as each benchmark asks for. */
  readonly runs?: number;
  readonly verbose: boolean;
}

/**
 * @param args without the program
 * @param names of the benchmarks
 * @throws CommanderError for what is not understood; its message was printed
 */
export function parseOptions(args: readonly string[], names: readonly string[]): BenchOptions {
  const program = new Command('npm run bench --')
    .description('Measures Muster beside the same tools called by hand, on labs of its own.')
    .option('--json', 'print a JSON array, one object a benchmark', false)
    .addOption(new Option('--only <name>', 'measure this one alone').choices(names))
    .option('--size <GB>', 'the ledger has at least this size', positive('gigabytes', 100), 1)
    .option('--runs <count>', 'measure each side this often', count)
    .option('--verbose', 'tell the times of each part on standard error', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 measured, 1 a limit is missed or something failed, 2 bad input.\n\nExamples:\n  npm run bench -- --only step\n  npm run bench -- --json --size 2 --runs 5',
    )
    .showHelpAfterError()
    .exitOverride();
  return program.parse([...args], { from: 'user' }).opts<BenchOptions>();
}

function positive(unit: string, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isFinite(value) && value > 0 && value <= most) return value;
    throw new InvalidArgumentError(`It is a number of ${unit} above 0, at most ${most}.`);
  };
}

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 100) return value;
  throw new InvalidArgumentError('It is a whole number from 1 to 100.');
}
