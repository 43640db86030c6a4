/** What approvers are shown where a standby or a backup can take over. */
import type { CopyPicked, WaysOpen } from '../../activities/contract.js';
import type { Fact } from '../../src/model/run.js';
import type { DataClass } from '../../src/runbook/schema.js';
import { showLoss, showPoint, showStandby } from './facts.js';

/** Both ways, the proposed one first. */
export function showWays(ways: WaysOpen, dataClasses: Readonly<Record<string, DataClass>>): Fact[] {
  const { standby, restore, proposed } = ways;
  const byStandby: Fact[] =
    standby.state === null
      ? [{ label: 'STANDBY UNUSABLE', value: `${standby.site}: ${standby.unfit.join('; ')}` }]
      : [
          ...standby.unfit.map((value) => ({ label: 'STANDBY NOT FIT', value })),
          // Whether the primary answers is looked at by a step of its own.
          ...showStandby(standby.state, dataClasses).filter(({ label }) => label !== 'primary'),
        ];
  const byBackup: Fact[] =
    restore.point === null
      ? [{ label: 'NO BACKUP', value: restore.problem ?? 'nothing can be restored' }]
      : [
          { label: 'backup at', value: restore.site },
          ...showPoint(restore.point, dataClasses).map(({ label, value }) => ({
            label: `by backup: ${label}`,
            value,
          })),
        ];
  const ordered = proposed === standby.site ? [byStandby, byBackup] : [byBackup, byStandby];
  return [{ label: 'proposed', value: `${proposed}: ${ways.summary}` }, ...ordered.flat()];
}

/** What is to be promoted, and what going on with it loses. */
export function showPicked(copy: CopyPicked, dataClasses: Readonly<Record<string, DataClass>>): Fact[] {
  return [{ label: 'copy', value: copy.summary }, ...showLoss(copy, dataClasses)];
}
