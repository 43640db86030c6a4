/** Making the old primary refuse writes, with proof, and letting it take them again when a recovery is called off. */
import { PermanentError } from '../../src/errors.js';
import { formatCount } from '../../src/model/format.js';
import type { DataClass } from '../../src/runbook/schema.js';
import { activitySignal } from '../context.js';
import type { FenceProof, MusterActivities } from '../contract.js';
import { requireReal } from '../production.js';
import { acquireFencingToken, releaseFencingToken, requireFencingToken, withVault } from '../vault/index.js';
import type { Fenced } from './driver.js';
import { postgresLogin } from './postgres-login.js';

export { proveRefusalOrSilence, requireStillFenced } from './proof.js';

/** A connection may break by itself; where it did already, and people wait for their answer, one more is enough. */
const ATTEMPTS = 3;
const ATTEMPTS_ONCE_MORE = 1;

type Order = Pick<Parameters<MusterActivities['fencePrimary']>[0], 'at' | 'damaged' | 'vault' | 'point'> & {
  readonly dataClasses: Readonly<Record<string, DataClass>>;
  readonly attempts: number;
};

export function fenceActivities(): Pick<
  MusterActivities,
  'fencePrimary' | 'fenceWithoutProof' | 'liftFence'
> {
  return {
    async fencePrimary(order) {
      requireReal(order.at, `fence ${order.damaged.site}`);
      return fence({ ...order, attempts: ATTEMPTS });
    },

    async fenceWithoutProof({ by, reason, ...order }) {
      const { at, damaged, vault, point } = order;
      requireReal(at, `go on without the fence of ${damaged.site}`);
      try {
        return await fence({ ...order, dataClasses: {}, attempts: ATTEMPTS_ONCE_MORE });
      } catch (error) {
        const tried = unreachable(error, damaged.site);
        const { systemIdentifier, timeline } = point;
        const token = await withVault(vault, activitySignal(), (open) =>
          acquireFencingToken(open, { ...at, systemIdentifier, timeline }),
        );
        return {
          token,
          refusedWrite: null,
          without: { by, reason, tried },
          terminatedSessions: 0,
          lastWriteAt: null,
          census: {},
          summary: `${damaged.site} cannot be reached: ${by.join(' and ')} went on without proof that it takes no writes`,
        };
      }
    },

    async liftFence({ at, damaged, vault }) {
      requireReal(at, `lift the fence of ${damaged.site}`);
      const stays = await withVault(vault, activitySignal(), (open) => releaseFencingToken(open, at));
      if (stays !== undefined) return { summary: `the fence of ${damaged.site} stays: ${stays}` };
      const lifted = await postgresLogin.lift({ runId: at.runId, damaged, signal: activitySignal() });
      return {
        summary: lifted
          ? `${damaged.site} takes logins and writes as before`
          : `${damaged.site} was not fenced by this run; nothing to undo`,
      };
    },
  };
}

/** @throws PermanentError `FenceNotProven` unless fenced with proof */
async function fence({ at, damaged, vault, point, dataClasses, attempts }: Order): Promise<FenceProof> {
  const signal = activitySignal();
  const { runId } = at;
  const { systemIdentifier, timeline } = point;
  const { token, fenced } = await withVault(vault, signal, async (open) => {
    // The token comes first: a run that was overtaken must not touch the primary.
    const token = await acquireFencingToken(open, { ...at, systemIdentifier, timeline });
    const fenced = await postgresLogin.fence({
      runId,
      damaged,
      systemIdentifier,
      timeline,
      token,
      since: point.time,
      dataClasses,
      attempts,
      signal,
      requireInCharge: () => requireFencingToken(open, { ...at, token }),
    });
    return { token, fenced };
  });
  return { ...fenced, token, summary: summaryOf(damaged.site, fenced, Object.keys(dataClasses)) };
}

/**
 * Whether nobody can say what the primary does. Only then people may go on without proof.
 * @returns what was tried, in words
 * @throws PermanentError `PrimaryReachable` when a server is there; what was thrown, for everything else
 */
function unreachable(error: unknown, site: string): string {
  if (!(error instanceof PermanentError) || error.code !== 'PrimaryUnreachable') throw error;
  if (error.details.serverSeen !== true) return `${error.message} ${error.why ?? ''}`.trim();
  throw new PermanentError(
    'PrimaryReachable',
    `A server is there at ${site}, and it may take writes: without proof nothing goes on. ${error.message}`,
    { ...(error.why === undefined ? {} : { why: error.why }), next: error.next, cause: error },
  );
}

function summaryOf(site: string, fenced: Fenced, classes: readonly string[]): string {
  const written = classes.map((name) => {
    const counted = fenced.census[name];
    return counted === undefined ? `${name} not counted` : `${formatCount(counted.records)} ${name}`;
  });
  return `${site} refuses writes (${fenced.refusedWrite.answer}); ${formatCount(fenced.terminatedSessions)} sessions ended; written since the point: ${written.join(', ')}`;
}
