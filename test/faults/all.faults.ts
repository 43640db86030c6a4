/** Every case, with a table at the end: `npm run test:faults`. */
import { allCases, selfHostedCases } from './cases.js';
import { runAll } from './lanes.js';
import { type Outcome, table } from './outcome.js';
import { struckPlan } from './plan.js';
import { addResult, readResults } from './results.js';
import { ridesOf } from './rides.js';
import { runRide } from './run-ride.js';
import { faultSettings } from './settings.js';

const LONGEST_MS = 4 * 3_600_000;

it(
  'recovers once and loses nothing, whatever strikes it and when',
  async () => {
    const begun = performance.now();
    const { only, part, of, lanes, minutes, results } = faultSettings(process.env);
    const plan = await struckPlan();
    const earlier = readResults(results).filter(({ wrong }) => wrong.length === 0);
    const known = new Set(earlier.map(({ name }) => name));
    const asked = [...allCases(plan), ...selfHostedCases(plan)].filter(({ name }) =>
      only.every((word) => name.includes(word)),
    );
    // What is in which recovery does not depend on what was run before.
    const rides = ridesOf(asked)
      .filter((_, index) => index % of === part - 1)
      .map((ride) => ride.filter(({ name }) => !known.has(name)))
      .filter(({ length }) => length > 0);
    const count = rides.flat().length;
    let done = 0;
    const tell = (outcome: Outcome) => {
      const { name, wrong, wholeMs, shared } = outcome;
      addResult(results, outcome);
      done += 1;
      const verdict = wrong.length === 0 ? 'right' : 'WRONG';
      const said = wrong.length === 0 ? '' : `: ${wrong.join('; ')}`;
      const seconds = `${(wholeMs / 1000).toFixed(0)} s for ${shared}`;
      process.stderr.write(`${done} of ${count}  ${verdict}  ${seconds}  ${name}${said}\n`);
    };
    const late = () => performance.now() - begun > minutes * 60_000;
    const outcomes = await runAll(rides, { lanes, late }, runRide, tell);
    const all = [...earlier.filter(({ name }) => asked.some((one) => one.name === name)), ...outcomes];
    process.stdout.write(`\n${table(all, asked.length, performance.now() - begun)}\n`);
    expect(all.filter(({ wrong }) => wrong.length > 0).map(({ name }) => name)).toEqual([]);
    expect(all.length).toBeGreaterThan(0);
  },
  LONGEST_MS,
);
