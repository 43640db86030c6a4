import { dnsActivities } from '../../activities/dns/index.js';
import { fenceActivities } from '../../activities/fence/index.js';
import { preserveActivities } from '../../activities/preserve/index.js';
import { promoteActivities } from '../../activities/promote/index.js';
import { stepOf } from './support/steps.js';

const activities = {
  ...fenceActivities(),
  ...preserveActivities(),
  ...promoteActivities(),
  ...dnsActivities(),
};

/** Enough of every input for the refusal; anything that went further would fail otherwise. */
const input = {
  at: { ...stepOf('run-1'), mode: 'drill' },
  damaged: { site: 'west' },
  target: { site: 'recovery' },
  record: { name: 'ledger-db.payymo.internal' },
};

test.each(Object.entries(activities))(
  '%s is refused to a drill before it touches anything',
  async (_name, act) => {
    const call = async () => (act as (input: unknown) => Promise<unknown>)(input);
    await expect(call()).rejects.toMatchObject({ name: 'PermanentError', code: 'DrillForbidden' });
  },
);
