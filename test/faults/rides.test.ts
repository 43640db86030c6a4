/** The cases of the harness: none is forgotten, none twice, and those of one recovery lie apart. */
import { allCases, momentsOf, selfHostedCases } from './cases.js';
import { runAll } from './lanes.js';
import type { Outcome } from './outcome.js';
import { table } from './outcome.js';
import { struckPlan } from './plan.js';
import { type Ride, ridesOf } from './rides.js';
import type { RideOutcome } from './run-ride.js';

it('strikes at the beginning of every step that asks anybody, with every fault', async () => {
  const plan = await struckPlan();
  const begun = momentsOf(plan).flatMap((moment) => (moment.at === 'begin' ? [moment.step] : []));
  const asking = plan.steps.filter(({ name, gate }) => gate === undefined && name !== 'choose-target');
  expect(begun).toEqual(asking.map(({ name }) => name));
  const cases = allCases(plan);
  for (const fault of ['kill', 'freeze', 'temporal', 'store', 's3']) {
    expect(cases.filter((one) => one.fault === fault).map(({ moment }) => moment)).toEqual(momentsOf(plan));
  }
});

it('puts each case into one recovery, apart from its neighbours', async () => {
  const plan = await struckPlan();
  const cases = [...allCases(plan), ...selfHostedCases(plan)];
  const rides = ridesOf(cases);
  expect(
    rides
      .flat()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(cases.map(({ name }) => name).sort());
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  for (const ride of rides.filter(({ length }) => length > 2)) {
    const places = ride.map((one) => cases.indexOf(one));
    for (let at = 1; at < places.length; at++) {
      expect((places[at] ?? 0) - (places[at - 1] ?? 0)).toBeGreaterThan(1);
    }
  }
});

const outcome = (name: string, wrong: readonly string[]): Outcome => {
  return { name, wrong, notes: [], recoveryMs: 1_000, wholeMs: 2_000, shared: 1 };
};

it('asks again, alone, for each case of a recovery that went wrong, and keeps that it did', async () => {
  const plan = await struckPlan();
  const ride = allCases(plan).slice(0, 2);
  const run = async (one: Ride): Promise<RideOutcome> =>
    one.length > 1
      ? { outcomes: [outcome('together: both', ['two promotions'])], alone: one, missed: [] }
      : { outcomes: one.map(({ name }) => outcome(name, [])), alone: [], missed: [] };
  const outcomes = await runAll([ride], { lanes: 1 }, run);
  expect(outcomes.map(({ name }) => name)).toEqual(['together: both', ...ride.map(({ name }) => name)]);
  expect(table(outcomes, 3, 60_000)).toMatch(
    /WRONG .*two promotions[\s\S]*3 of 3 cases: 2 right, 1 wrong, in 1.0 min$/,
  );
});

it('looks again for moments that were not met, few at a time, and says of one that never comes that it did not', async () => {
  const cases = allCases(await struckPlan())
    .filter(({ fault }) => fault === 'kill')
    .slice(0, 4);
  const rides: Ride[] = [];
  const run = async (ride: Ride): Promise<RideOutcome> => {
    rides.push(ride);
    const metFirst = ride.filter((one) => one !== cases[3]).slice(0, 1);
    return {
      outcomes: metFirst.map(({ name }) => outcome(name, [])),
      alone: [],
      missed: ride
        .filter((one) => !metFirst.includes(one))
        .map((one) => ({ one, never: outcome(one.name, ['the moment never came']) })),
    };
  };
  const outcomes = await runAll([cases], { lanes: 1 }, run);
  expect(rides.slice(1).every(({ length }) => length <= 3)).toBe(true);
  expect(rides.filter((ride) => ride.includes(cases[3] as (typeof cases)[number]))).toHaveLength(4);
  expect(Object.fromEntries(outcomes.map(({ name, wrong }) => [name, wrong]))).toEqual(
    Object.fromEntries(cases.map(({ name }, index) => [name, index === 3 ? ['the moment never came'] : []])),
  );
});
