/** Payymo's runbook with fields taken out, renamed and written over: one that is broken is never taken for a good one. */
import fc from 'fast-check';
import { InputError } from '../../src/errors.js';
import { findingsOf } from '../../src/runbook/findings.js';
import { type LoadedRunbook, readRunbook } from '../../src/runbook/load.js';
import type { GatePolicy, Runbook } from '../../src/runbook/schema.js';
import { parseSource } from '../../src/runbook/source.js';
import { corruptionScenario } from '../../workflows/corruption.js';
import { good } from '../runbook/cases.js';
import { cases, counted } from './effort.js';

type Path = readonly (string | number)[];

const payymo = parseSource('payymo.yaml', good).value as object;

/** Every place of the runbook that holds something. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, held]) =>
    placesIn(held, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? inner : [path, ...inner];
}

/** The runbook with something else at a place; `undefined` takes the place out. What leads there is made where it is missing. */
function withAt(value: unknown, [key, ...rest]: Path, by: unknown): unknown {
  if (key === undefined) return by;
  const isHolder = typeof value === 'object' && value !== null;
  if (typeof key === 'number') {
    const items = Array.isArray(value) ? [...value] : [];
    if (rest.length === 0 && by === undefined) items.splice(key, 1);
    else items[Math.min(key, items.length)] = withAt(items[key], rest, by);
    return items;
  }
  const fields = isHolder && !Array.isArray(value) ? { ...(value as Record<string, unknown>) } : {};
  if (rest.length === 0 && by === undefined) delete fields[key];
  else fields[key] = withAt(fields[key], rest, by);
  return fields;
}

const places = placesIn(payymo);
const words = [
  'west',
  'recovery',
  'standby',
  'payymo',
  'database',
  'database-lead',
  'nowhere',
  '5 min',
  '-1 s',
  '0 s',
  '',
];
const more = [
  0,
  -1,
  1.5,
  1e9,
  true,
  false,
  null,
  [],
  {},
  'env:X',
  'file:/x',
  'remind',
  'proceed',
  'totp',
  'a b',
];
const edit = fc.tuple(
  fc.constantFrom(...places),
  fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 3, arbitrary: fc.constantFrom<unknown>(...words, ...more) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  ),
);
const renamed = fc
  .tuple(fc.constantFrom(...places), fc.string({ minLength: 1, maxLength: 8 }))
  .map(
    ([place, name]) => [[...place.slice(0, -1), typeof place.at(-1) === 'number' ? 99 : name], 'x'] as const,
  );
const edits = fc.array(fc.oneof({ weight: 5, arbitrary: edit }, { weight: 1, arbitrary: renamed }), {
  minLength: 1,
  maxLength: 3,
});

function read(value: unknown): LoadedRunbook | undefined {
  try {
    const loaded = readRunbook('payymo.yaml', JSON.stringify(value));
    counted('edited runbooks accepted');
    return loaded;
  } catch (thrown) {
    if (!(thrown instanceof InputError)) throw thrown;
    expect(thrown.problems.length).toBeGreaterThan(0);
    counted('edited runbooks refused');
    return undefined;
  }
}

/** What stands in the text and not in what was read of it. */
function ignored(given: unknown, held: unknown, path: Path = []): Path[] {
  if (typeof given !== 'object' || given === null) return held === undefined ? [path] : [];
  return Object.entries(given).flatMap(([key, inner]) =>
    ignored(inner, (held as Record<string, unknown> | undefined)?.[key], [...path, key]),
  );
}

/** Whether as many people as it asks for, each with what it asks of them, can open it. */
function canBeOpened(policy: GatePolicy, { people }: Runbook): boolean {
  const asked = [...policy.roles, ...(policy.atExpiry === 'escalate' ? policy.escalateTo : [])];
  const able = people.filter(
    ({ roles, proofs }) =>
      roles.some((role) => asked.includes(role)) &&
      (policy.secondFactor === 'none' || proofs?.totp !== undefined),
  );
  return able.length >= policy.approvals;
}

/** What every runbook has to hold, said once more and otherwise than the checks say it. */
function expectSound({ runbook, source }: LoadedRunbook): void {
  const { corruption } = runbook.scenarios;
  expect(ignored(source.value, runbook)).toEqual([]);
  expect(new Set(runbook.people.map(({ name }) => name)).size).toBe(runbook.people.length);
  for (const { postgres } of Object.values(runbook.sites)) {
    if (postgres === undefined) continue;
    for (const { password } of [postgres.admin, postgres.application])
      expect(password).toMatch(/^(env:\w|file:\/)/);
  }
  for (const { proofs } of runbook.people) {
    if (proofs?.totp !== undefined) expect(proofs.totp).toMatch(/^(env:\w|file:\/)/);
  }
  const { breakGlass } = runbook;
  if (breakGlass !== undefined) {
    const able = runbook.people.filter(({ roles }) => roles.some((role) => breakGlass.roles.includes(role)));
    expect(able.length).toBeGreaterThanOrEqual(breakGlass.people);
  }
  findingsOf(runbook, source);
  if (corruption === undefined) return;
  for (const policy of Object.values(corruption.gates)) {
    expect({ policy, opens: canBeOpened(policy, runbook) }).toEqual({ policy, opens: true });
    expect(policy.expires).toBeGreaterThan(0);
    if (policy.atExpiry === 'escalate') expect(policy.escalateTo).not.toEqual([]);
  }
  expect(corruption.gates.promote.atExpiry).not.toBe('proceed');
  expect(runbook.sites[corruption.damaged]?.role).toBe('primary');
  for (const target of [corruption.target, ...corruption.otherTargets]) {
    expect(target).not.toBe(corruption.damaged);
    expect(runbook.sites[target]?.role).not.toBe('primary');
    expect(runbook.sites[target]?.postgres).toBeDefined();
    expect(runbook.dns[corruption.record]?.values[target]).toBeDefined();
  }
  expect(runbook.backups[corruption.backup]?.driver).toBe('pgbackrest');
  const steps = corruptionScenario.buildPlan(runbook).document.steps.map(({ name }) => name);
  expect(steps.indexOf('gate-promote')).toBeLessThan(steps.indexOf('promote'));
}

test('what is read after any edits can be planned, and holds what every runbook has to', () => {
  expectSound(readRunbook('payymo.yaml', good));
  fc.assert(
    fc.property(edits, (all) => {
      const loaded = read(all.reduce<unknown>((value, [place, by]) => withAt(value, place, by), payymo));
      if (loaded !== undefined) expectSound(loaded);
    }),
    cases(120, 0.25),
  );
});

const corruption = (...path: Path): Path => ['scenarios', 'corruption', ...path];
const west = (...path: Path): Path => ['sites', 'west', ...path];
/** Each of these breaks a runbook, whatever else stands in it. */
const breaking: readonly (readonly [Path, unknown])[] = [
  [['system'], 'another'],
  [['system'], undefined],
  [['people'], []],
  [['people', 0, 'roles'], []],
  [['people', 0, 'proofs'], { keys: ['ssh-ed25519 AAAA'] }],
  [['people', 0, 'password'], 'secret'],
  [['tier'], 0],
  [['tier'], '1'],
  [['objectives'], {}],
  [['objectives', 'components', 'database', 'rto'], '-5 min'],
  [['objectives', 'components', 'database', 'dependsOn'], ['database']],
  [['sites'], []],
  [west('postgres', 'port'), 70_000],
  [west('postgres', 'admin', 'password'), 'hunter2hunter2'],
  [west('postgres', 'service', 'dataDirectory'), 'relative/path'],
  [west('role'), 'recovery'],
  [['vault'], undefined],
  [['verification', 'invariants'], []],
  [['breakGlass'], { roles: ['nobody-has-this'] }],
  [['breakGlass', 'people'], 20],
  [corruption('target'), 'west'],
  [corruption('target'), 'nowhere'],
  [corruption('backup'), 'nowhere'],
  [corruption('record'), 'nowhere'],
  [corruption('restores'), []],
  [corruption('gates', 'promote', 'atExpiry'), 'proceed'],
  [corruption('gates', 'promote', 'approvals'), 20],
  [corruption('gates', 'promote', 'approvals'), 0],
  [corruption('gates', 'promote', 'secondFactor'), 'sms'],
  [corruption('gates', 'point', 'roles'), ['nobody-has-this']],
  [corruption('gates', 'point', 'expires'), '0 s'],
  [corruption('gates', 'third'), { roles: ['database-lead'] }],
  [['nonsense'], 1],
];

test('one that is broken is refused, whatever else is edited', () => {
  fc.assert(
    fc.property(fc.constantFrom(...breaking), fc.array(edit, { maxLength: 2 }), ([place, by], others) => {
      const before = others.reduce<unknown>((value, [at, other]) => withAt(value, at, other), payymo);
      expect({ place, loaded: read(withAt(before, place, by)) }).toEqual({ place, loaded: undefined });
    }),
    cases(60, 0.1),
  );
});
