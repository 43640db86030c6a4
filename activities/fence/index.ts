/** Making the old primary refuse writes, with proof, and letting it take them again when a recovery is called off. */
import { formatCount } from '../../src/model/format.js';
import { activitySignal } from '../context.js';
import type { FenceProof, MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { acquireFencingToken, releaseFencingToken, requireFencingToken, withVault } from '../vault/index.js';
import { postgresLogin } from './postgres-login.js';

export { proveRefusalOrSilence, requireStillFenced } from './proof.js';

export function fenceActivities(): Pick<MusterActivities, 'fencePrimary' | 'liftFence'> {
  return {
    async fencePrimary({ at, damaged, vault, point, dataClasses }) {
      requireReal(at, `fence ${damaged.site}`);
      const signal = activitySignal();
      const { runId, system } = at;
      const { systemIdentifier, timeline } = point;
      const { token, fenced } = await withVault(vault, signal, async (open) => {
        // The token comes first: a run that was overtaken must not touch the primary.
        const token = await acquireFencingToken(open, { system, runId, systemIdentifier, timeline });
        const fenced = await postgresLogin.fence({
          runId,
          damaged,
          systemIdentifier,
          timeline,
          token,
          since: point.time,
          dataClasses,
          signal,
          requireInCharge: () => requireFencingToken(open, { system, runId, token }),
        });
        return { token, fenced };
      });
      return { ...fenced, token, summary: summaryOf(damaged.site, fenced, Object.keys(dataClasses)) };
    },

    async liftFence({ at, damaged, vault }) {
      requireReal(at, `lift the fence of ${damaged.site}`);
      await withVault(vault, activitySignal(), (open) => releaseFencingToken(open, at.system, at.runId));
      const lifted = await postgresLogin.lift({ runId: at.runId, damaged, signal: activitySignal() });
      return {
        summary: lifted
          ? `${damaged.site} takes logins and writes as before`
          : `${damaged.site} was not fenced by this run; nothing to undo`,
      };
    },
  };
}

function summaryOf(
  site: string,
  fenced: Omit<FenceProof, 'token' | 'summary'>,
  classes: readonly string[],
): string {
  const written = classes.map((name) => {
    const counted = fenced.census[name];
    return counted === undefined ? `${name} not counted` : `${formatCount(counted.records)} ${name}`;
  });
  return `${site} refuses writes (${fenced.refusedWrite.answer}); ${formatCount(fenced.terminatedSessions)} sessions ended; written since the point: ${written.join(', ')}`;
}
