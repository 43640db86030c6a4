import type { Runbook } from '../schema.js';
import type { Problems } from './report.js';

/** Updates go out by a channel that there is, and that wakes nobody. */
export function checkUpdates({ updates, notifications }: Runbook, problems: Problems): void {
  if (updates === undefined) return;
  const { every, channel } = updates;
  if (every === 0) problems.add(['updates', 'every'], 'a duration above zero');
  if (channel === undefined) return;
  const known = Object.entries(notifications).filter(([, { driver }]) => driver !== 'pagerduty');
  problems.mustBeOneOf(
    ['updates', 'channel'],
    channel,
    known.map(([name]) => name),
    'a channel of notifications, other than pagerduty',
  );
}
