/** Whether a hot standby is current enough to take over without anybody having to think about it. */

import type { StandbyState } from '../../activities/contract.js';
import { unfitBecause } from '../../activities/outage/fitness.js';

const minute = 60_000;
const FIT = {
  site: 'standby',
  systemIdentifier: '7000',
  lagMs: 2_000,
  lastCommitAt: '2026-03-01T03:00:00.000000Z',
  loses: { clients: { records: 3, windowMs: 4_000 } },
} as unknown as StandbyState;
const POINT = { systemIdentifier: '7000', through: { at: '2026-03-01T02:58:00.000000Z', lsn: '0/1' } };
const why = (state: Partial<StandbyState>, point: Parameters<typeof unfitBecause>[1] = POINT) =>
  unfitBecause({ ...FIT, ...state }, point, 5 * minute);

test('one that lost little is fit, also where nothing can be compared', () => {
  expect(why({})).toEqual([]);
  expect(why({ lagMs: null, lastCommitAt: null, loses: {} }, null)).toEqual([]);
});

test.each([
  ['lagged', { lagMs: 6 * minute }, POINT, /^it lagged by 6 min .* more than the 5 min/],
  [
    'lacks what was acknowledged',
    { loses: { clients: { records: 1_200, windowMs: 40 * minute } } },
    POINT,
    /^1,200 acknowledged clients over 40 min/,
  ],
  [
    'stopped following long ago',
    {},
    { ...POINT, through: { at: '2026-03-01T06:00:00Z', lsn: '0/9' } },
    /^backups lead 3 h further than standby/,
  ],
  [
    'is another system',
    {},
    { ...POINT, systemIdentifier: '8000' },
    /^it is of system 7000, the backups are of 8000/,
  ],
])('one that %s is not', (_what, state, point, said) => {
  const [first, ...more] = why(state, point);
  expect(first).toMatch(said);
  expect(more).toEqual([]);
});
