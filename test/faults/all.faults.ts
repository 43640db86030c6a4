/** Every case, with a table at the end: `npm run test:faults`. */
import { allCases } from './cases.js';
import { type Runnable, runAll } from './lanes.js';
import { type Outcome, table } from './outcome.js';
import { struckPlan } from './plan.js';
import { runCase } from './run-case.js';

/** Two labs a processor: half of a case is waiting for a time limit. */
const LANES = Number(process.env.MUSTER_FAULTS_LANES ?? 4);
/** Words that the names of the cases must all contain. */
const WORDS = (process.env.MUSTER_FAULTS_ONLY ?? '').split(' ').filter(Boolean);
const LONGEST_MS = 4 * 3_600_000;

it(
  'recovers once and loses nothing, whatever strikes it and when',
  async () => {
    const begun = performance.now();
    const cases: readonly Runnable[] = allCases(await struckPlan()).map((one) => ({
      name: one.name,
      run: () => runCase(one),
    }));
    const chosen = cases.filter(({ name }) => WORDS.every((word) => name.includes(word)));
    const tell = ({ name, wrong, wholeMs }: Outcome, count: number) =>
      process.stderr.write(
        `${count} of ${chosen.length}  ${wrong.length === 0 ? 'right' : 'WRONG'}  ${(wholeMs / 1000).toFixed(0)} s  ${name}${wrong.length === 0 ? '' : `: ${wrong.join('; ')}`}\n`,
      );
    const outcomes = await runAll(chosen, LANES, tell);
    process.stdout.write(`\n${table(outcomes, performance.now() - begun)}\n`);
    expect(outcomes.filter(({ wrong }) => wrong.length > 0).map(({ name }) => name)).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(0);
  },
  LONGEST_MS,
);
