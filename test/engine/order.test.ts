import { nextToBegin, type Ordered } from '../../workflows/engine/order.js';

const one = (system: string, change: Partial<Ordered> = {}): Ordered => ({
  ...{ system, tier: 1, dependsOn: [], state: 'pending', back: false },
  ...change,
});

const CASES: readonly [string, readonly Ordered[], number, string | undefined][] = [
  ['the lowest tier first', [one('b', { tier: 2 }), one('c'), one('a', { tier: 3 })], 2, 'c'],
  ['of one tier by name', [one('b'), one('a')], 2, 'a'],
  ['nothing while there is no room', [one('a', { state: 'running' }), one('b')], 1, undefined],
  ['who waits for people leaves the room', [one('a', { state: 'waiting' }), one('b')], 1, 'b'],
  ['who undoes something keeps it', [one('a', { state: 'undoing' }), one('b')], 1, undefined],
  ['who failed leaves it', [one('a', { state: 'failed' }), one('b')], 1, 'b'],
  ['not before what it depends on', [one('a', { dependsOn: ['z'] }), one('z', { tier: 9 })], 2, 'z'],
  [
    'while that works, another one',
    [one('a', { dependsOn: ['z'] }), one('b', { tier: 9 }), one('z', { state: 'running' })],
    2,
    'b',
  ],
  [
    'once that is back, though it still works',
    [one('a', { dependsOn: ['z'] }), one('z', { state: 'running', back: true })],
    2,
    'a',
  ],
  ['once that waits for people', [one('a', { dependsOn: ['z'] }), one('z', { state: 'waiting' })], 1, 'a'],
  ['once that failed', [one('a', { dependsOn: ['z'] }), one('z', { state: 'failed' })], 1, 'a'],
  ['what it depends on is not among them', [one('a', { dependsOn: ['elsewhere'] })], 1, 'a'],
  [
    'a circle holds nobody up for ever',
    [one('a', { dependsOn: ['b'] }), one('b', { dependsOn: ['a'] })],
    1,
    'a',
  ],
  ['nothing where all are begun', [one('a', { state: 'recovered' })], 1, undefined],
];

it.each(CASES)('%s', (_title, systems, atOnce, next) => {
  expect(nextToBegin(systems, atOnce)).toBe(next);
});
