/** What came out of cases, as people read it. */

export interface Outcome {
  readonly name: string;
  /** What is not as it must be; empty: the run ended right. */
  readonly wrong: readonly string[];
  /** What happened on the way that is no fault of the run, for instance what the commander had to try again. */
  readonly notes: readonly string[];
  /** Of the recovery, from its beginning to its end; 0 where it did not get that far. */
  readonly recoveryMs: number;
  /** Of the whole case with its lab. */
  readonly wholeMs: number;
  /** How many cases befell the same recovery. */
  readonly shared: number;
}

/** What a recovery is called that several cases befell and that went wrong. */
export const TOGETHER = 'together';

/**
 * One line a case, and the count.
 * @param asked how many cases were to be run
 */
export function table(outcomes: readonly Outcome[], asked: number, wholeMs: number): string {
  const rows = outcomes.map((outcome) => {
    const [fault = '', moment = ''] = outcome.name.split(/: (.*)/s);
    return { fault, moment, outcome };
  });
  // Those of one recovery are named one after the other: too long to make room for.
  const usual = rows.filter(({ fault }) => fault !== TOGETHER);
  const wide = (pick: (row: (typeof rows)[number]) => string) =>
    Math.max(TOGETHER.length, ...usual.map((row) => pick(row).length));
  const [faultWidth, momentWidth] = [wide(({ fault }) => fault), wide(({ moment }) => moment)];
  const lines = rows.map(({ fault, moment, outcome }) => {
    const said = [...outcome.wrong, ...outcome.notes].join('; ');
    const cells = [
      fault.padEnd(faultWidth),
      moment.padEnd(momentWidth),
      outcome.wrong.length === 0 ? 'right' : 'WRONG',
      `${(outcome.recoveryMs / 1000).toFixed(1)} s`.padStart(8),
    ];
    return `${cells.join('  ')}${said === '' ? '' : `  ${said}`}`;
  });
  const head = [
    'fault'.padEnd(faultWidth),
    'moment'.padEnd(momentWidth),
    'result'.slice(0, 6),
    'recovery',
  ].join('  ');
  const wrong = outcomes.filter((outcome) => outcome.wrong.length > 0).length;
  const minutes = (wholeMs / 60_000).toFixed(1);
  const count = `${outcomes.length} of ${asked} cases: ${outcomes.length - wrong} right, ${wrong} wrong, in ${minutes} min`;
  return [head, ...lines, '', count].join('\n');
}
