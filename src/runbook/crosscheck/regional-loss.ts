import type { Runbook } from '../schema.js';
import { checkElsewhere } from './elsewhere.js';
import type { Problems } from './report.js';
import { checkDatabaseSection, checkPlaces } from './scenarios.js';

/** Everything that a recovery in another region needs is outside of the lost one. */
export function checkRegionalLoss(runbook: Runbook, problems: Problems): void {
  const loss = runbook.scenarios.regionalLoss;
  if (loss === undefined) return;
  const scenario = 'regionalLoss';
  checkDatabaseSection(runbook, scenario, loss, problems);
  checkPlaces(runbook, { ...loss, scenario, field: 'lost', old: loss.lost }, problems);
  const region = runbook.sites[loss.lost]?.region;
  if (region === undefined) return;
  const { target, otherTargets } = loss;
  const sites = [
    [['target'], target] as const,
    ...otherTargets.map((name, index) => [['otherTargets', index], name] as const),
  ];
  checkElsewhere(runbook, { ...loss, scenario, lost: region, sites }, problems);
}
