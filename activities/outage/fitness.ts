/** Whether a hot standby is current enough to take over without anybody having to think about it. Pure. */
import { formatCount, formatDuration } from '../../src/model/format.js';
import type { RecoveryPoint, StandbyState } from '../contract.js';

/**
 * What speaks against it. What nobody can know (no record outside of what was acknowledged, a receiver that has gone with its
 * primary, no backup to compare with) does not: it is shown at the gate.
 *
 * @param point the newest state that the backups lead to; null: none
 * @returns a sentence each, without a full stop
 */
export function unfitBecause(
  { site, lagMs, loses, systemIdentifier, lastCommitAt }: StandbyState,
  point: Pick<RecoveryPoint, 'systemIdentifier' | 'through'> | null,
  maxLagMs: number,
): string[] {
  const limit = `more than the ${formatDuration(maxLagMs)} that the runbook allows`;
  const archivedTo = point?.through?.at;
  const behindArchive =
    archivedTo === undefined || lastCommitAt === null ? 0 : Date.parse(archivedTo) - Date.parse(lastCommitAt);
  return [
    ...(point !== null && point.systemIdentifier !== systemIdentifier
      ? [`it is of system ${systemIdentifier}, the backups are of ${point.systemIdentifier}`]
      : []),
    ...(lagMs !== null && lagMs > maxLagMs
      ? [`it lagged by ${formatDuration(lagMs)} when it last heard of the primary, ${limit}`]
      : []),
    ...Object.entries(loses)
      .filter(([, { records, windowMs }]) => records > 0 && windowMs > maxLagMs)
      .map(
        ([name, { records, windowMs }]) =>
          `${formatCount(records)} acknowledged ${name} over ${formatDuration(windowMs)} are not in it, ${limit}`,
      ),
    ...(behindArchive > maxLagMs
      ? [`backups lead ${formatDuration(behindArchive)} further than ${site}, ${limit}`]
      : []),
  ];
}
