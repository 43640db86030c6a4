import { PermanentError } from '../../src/errors.js';
import type { FailbackActivities, RecoveryPoint } from '../contract.js';
import { proposeNewestArchive } from '../point/archive.js';

/** Read back from its copies, proven and described as any archive that a recovery goes back to; it must be the one just taken. */
export async function findLastArchive({
  at,
  primary,
  home,
  backup,
  taken,
  dataClasses,
}: Parameters<FailbackActivities['findLastArchive']>[0]): Promise<RecoveryPoint> {
  const point = await proposeNewestArchive({ at, from: home, backup, dataClasses, lost: primary });
  if (point.archive?.label === taken.label) return point;
  const troubles = point.archive?.passedOver.filter((one) => one.startsWith(taken.label)) ?? [];
  throw new PermanentError(
    'NotLastArchive',
    `The newest archive that can be used is ${point.archive?.label ?? point.backup.label}, not ${taken.label}, which was just taken.`,
    {
      why: `Going home with an older one would lose what was written since. ${troubles.join(' ')}`.trim(),
      next: 'Retry take-last-archive, which takes another one; or abort: the primary opens again with all that it had.',
    },
  );
}
