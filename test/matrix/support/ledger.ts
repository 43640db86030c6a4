/** Payymo's ledger: what is done to it before a disaster, and what must be so after a recovery. */
import type { Promotion } from '../../../activities/contract.js';
import type { SiteName } from '../../../lab/layout.js';
import { type LabStatus, statusLab } from '../../../lab/status.js';
import {
  brokenInvariants,
  claimsInVault,
  copyOf,
  namesOf,
  oldPrimary,
  paymentsOf,
  type Scene,
} from '../../support/after-recovery.js';
import { namesLead, oldPrimaryIsDead, paymentsAreThere, promotedOnce } from '../../support/judge.js';
import type { Recovered, Stage } from './cell.js';

/**
 * Looks at vault, timelines, the old primary, every acknowledged payment, invariants, DNS and payments at the new place.
 * @param places where the primary was, and where it must be now
 */
export function ledgerIsRight(places: { readonly from: SiteName; readonly to: SiteName }) {
  return async ({ lab, incident, safe, result }: Recovered): Promise<readonly string[]> => {
    const scene: Scene = { lab, incident, paidBefore: safe, ...places };
    const [claims, copy, old, payments, names, broken] = await Promise.all([
      claimsInVault(scene),
      copyOf(scene, result.outputs.promote as Promotion),
      oldPrimary(scene),
      paymentsOf(scene, result),
      namesOf(scene),
      brokenInvariants(scene),
    ]);
    return [
      ...promotedOnce({ claims, copy }),
      ...oldPrimaryIsDead({ old }),
      ...paymentsAreThere({ payments }),
      ...namesLead({ names }),
      ...broken.map((name) => `the new primary breaks the invariant ${name}`),
    ];
  };
}

/** Payments that the client has an answer for by now. */
export async function paid({ incident }: Stage): Promise<ReadonlySet<string>> {
  return new Set((await incident.acknowledged()).map(({ id }) => id));
}

/** The lab as it is now: a standby may have been raised, a part started again. */
export async function labNow({ lab }: Stage): Promise<LabStatus['state']> {
  return (await statusLab(lab.dir))?.state ?? lab.state;
}
