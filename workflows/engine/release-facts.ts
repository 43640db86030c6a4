/** What approvers are shown of a release that is to be taken back. */
import type { ReleaseState } from '../../activities/contract.js';
import { formatCount } from '../../src/model/format.js';
import type { Fact } from '../../src/model/run.js';

export function showRelease(state: ReleaseState): Fact[] {
  const { running, since, told, healthy, failing, broken, back, candidates, migrations } = state;
  const others = candidates.filter((one) => one !== back);
  const already = Object.values(state.missing).reduce((sum, count) => sum + count, 0);
  return [
    { label: 'runs', value: `${running}, since ${since}` },
    ...(told === null || told === running
      ? []
      : [{ label: 'BUT ANSWERS', value: `${told}: not every instance may have been deployed` }]),
    {
      label: 'fails',
      value:
        [...(healthy ? [] : ['it is not healthy']), ...failing].join('; ') ||
        'nothing that was tried; what writes was not',
    },
    { label: 'back to', value: back },
    ...(others.length === 0 ? [] : [{ label: 'or to', value: others.join(', ') }]),
    {
      label: 'taken back',
      value: migrations.length === 0 ? 'no migration: the database stays as it is' : migrations.join(', '),
    },
    {
      label: 'kept',
      value: `every write${state.uncounted.length === 0 ? '' : `; not counted: ${state.uncounted.join(', ')}`}`,
    },
    ...(already === 0
      ? []
      : [{ label: 'MISSING ALREADY', value: `${formatCount(already)} acknowledged records since ${since}` }]),
    ...(broken.length === 0
      ? []
      : [
          {
            label: 'DATA IS DAMAGED',
            value: `${broken.join(', ')}: another release does not mend it; corruption goes back before ${since}`,
          },
        ]),
  ];
}
