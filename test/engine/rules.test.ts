import type { Effect, PlanDocument, StepDocument, StepKind } from '../../src/model/plan.js';
import { checkRules } from '../../workflows/engine/rules.js';

function step(
  name: string,
  kind: StepKind,
  effect: Effect,
  needs: string[],
  more: Partial<StepDocument> = {},
): StepDocument {
  return {
    name,
    title: name,
    kind,
    effect,
    needs,
    budgetMs: 1_000,
    restores: [],
    pointOfNoReturn: kind === 'promotion',
    commands: [],
    ...more,
  };
}

const gate = (name: string, needs: string[], change?: string) =>
  step(name, 'gate', 'none', needs, {
    gate: {
      gate: name,
      roles: ['lead'],
      approvals: 1,
      from: 'any',
      requester: 'counts',
      secondFactor: 'none',
      expiresMs: 1,
      atExpiry: 'remind',
      escalateTo: [],
      changes: change === undefined ? [] : [change],
    },
  });

const sound: readonly StepDocument[] = [
  step('propose', 'work', 'none', []),
  gate('gate-point', ['propose'], 'point'),
  step('restore', 'work', 'sandbox', ['propose']),
  step('verify', 'verification', 'sandbox', ['restore']),
  step('fence', 'fence', 'production', ['propose', 'gate-point'], { undo: 'lift it' }),
  gate('gate-promote', ['verify', 'fence']),
  step('promote', 'promotion', 'production', ['gate-promote', 'verify', 'fence']),
  step('cutover', 'cutover', 'production', ['promote']),
];

function plan(change: (steps: StepDocument[]) => StepDocument[]): PlanDocument {
  return {
    scenario: 'test',
    system: 'test',
    title: 'test',
    component: 'database',
    rtoMs: 1,
    components: {},
    serviceRestoredBy: 'cutover',
    changeables: [{ name: 'point', step: 'propose', allowed: 'a time' }],
    steps: change([...sound]),
  };
}

const replace = (name: string, change: Partial<StepDocument>) => (steps: StepDocument[]) =>
  steps.map((one) => (one.name === name ? { ...one, ...change } : one));

it('accepts a plan that obeys all rules', () => {
  expect(() => checkRules(plan((steps) => steps))).not.toThrow();
});

it.each([
  [
    'a promotion that leaves a verification out',
    (steps: StepDocument[]) =>
      steps.map((one) => ({ ...one, needs: one.needs.filter((need) => need !== 'verify') })),
    'it promotes what is not verified (verify)',
  ],
  [
    'a promotion with no verification at all',
    (steps: StepDocument[]) =>
      steps
        .filter((one) => one.name !== 'verify')
        .map((one) => ({ ...one, needs: one.needs.filter((need) => need !== 'verify') })),
    'it promotes what is not verified (no verification)',
  ],
  [
    'a promotion without a fence',
    (steps: StepDocument[]) =>
      steps
        .filter((one) => one.name !== 'fence')
        .map((one) => ({ ...one, needs: one.needs.filter((need) => need !== 'fence') })),
    'it promotes while nothing is fenced',
  ],
  [
    'a promotion without a gate of its own',
    replace('promote', { needs: ['verify', 'fence'] }),
    'without a gate of its own',
  ],
  [
    'production work before any gate',
    replace('restore', { effect: 'production' }),
    'touches production and no gate',
  ],
  [
    'production work on a point that may still change',
    (steps: StepDocument[]) => [
      gate('gate-other', []),
      ...replace('fence', { needs: ['propose', 'gate-other'] })(steps),
    ],
    'which gate-point may still change',
  ],
  [
    'traffic that moves before the promotion',
    replace('cutover', { needs: ['gate-promote'] }),
    'before the promotion',
  ],
  [
    'two promotions',
    (steps: StepDocument[]) => [
      ...steps,
      step('again', 'promotion', 'production', ['gate-promote', 'verify', 'fence']),
    ],
    'promotes more than once',
  ],
  [
    'a fence that cannot be lifted',
    (steps: StepDocument[]) =>
      steps.map(({ undo, ...one }) => (one.name === 'fence' || undo === undefined ? one : { ...one, undo })),
    'cannot be undone',
  ],
  ['a need that stands behind', replace('propose', { needs: ['restore'] }), 'does not stand before it'],
  [
    'a name twice',
    (steps: StepDocument[]) => [...steps, sound[0] as StepDocument],
    'two steps bear this name',
  ],
  ['a name that is not kebab-case', replace('cutover', { name: 'cutOver' }), 'not kebab-case'],
])('refuses %s', (_what, change, message) => {
  expect(() => checkRules(plan(change))).toThrow(message);
});
