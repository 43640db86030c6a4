/** Promotion: the copy takes the writes from then on. The point of no return. */
import type { Client } from 'pg';
import { PermanentError, TransientError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, MusterActivities, ReplacedPrimary } from '../contract.js';
import { requireStillFenced } from '../fence/index.js';
import { requireReal } from '../production.js';
import {
  type Claim,
  type PromotionToken,
  readClaims,
  readPromotions,
  recordPromotionDone,
  requireFencingToken,
  takePromotionToken,
  type Vault,
  withVault,
} from '../vault/index.js';
import {
  inspectServer,
  readBranch,
  requireReady,
  requireSystem,
  requireTakesWrites,
  type ServerState,
} from './server.js';
import { hashOfChecks, requireVerified } from './verified.js';

/** A promotion writes a checkpoint request and one record: seconds. */
const PROMOTE_SECONDS = 60;

type Input = Parameters<MusterActivities['promote']>[0];

export function promoteActivities(): Pick<MusterActivities, 'promote'> {
  return {
    promote: async (input) => {
      const { target, vault } = input;
      requireReal(input.at, `promote ${target.site}`);
      return withVault(vault, activitySignal(), async (open) => {
        try {
          requireVerified(input.checks);
          requireFence(input);
          // While the server is asked. What they say is decided when the token is taken.
          const claims = readClaims(open, input.at.system);
          claims.catch(() => undefined);
          return await asAdmin(target, (client) => promoteOnce(open, client, input, claims));
        } catch (error) {
          throw await withWhatWasDone(open, input, error);
        }
      });
    },
  };
}

/**
 * Says of a failure that nothing was done where the vault proves it: without its token this run has promoted nothing, and can
 * be called off.
 */
async function withWhatWasDone(open: Vault, { at }: Input, error: unknown): Promise<unknown> {
  if (!(error instanceof PermanentError || error instanceof TransientError)) return error;
  const promotions = await readPromotions(open, at.system).catch(() => undefined);
  if (promotions === undefined || promotions.some(({ runId }) => runId === at.runId)) return error;
  const Kind = error instanceof PermanentError ? PermanentError : TransientError;
  return new Kind(error.code, error.message, {
    next: error.next,
    ...(error.why === undefined ? {} : { why: error.why }),
    cause: error.cause,
    details: { ...error.details, nothingDone: true },
  });
}

function requireFence({ fence, at }: Input): void {
  const shown = fence.refusedWrite === null ? fence.without?.reason : fence.refusedWrite.answer;
  if (fence.token > 0 && shown !== undefined && shown !== '') return;
  throw new PermanentError(
    'NotFenced',
    `There is no proof that the old primary of ${at.system} refuses writes.`,
    {
      next: 'Fence it, with proof, then retry the step.',
    },
  );
}

/**
 * Takes the token, promotes, and proves what came out of it. A server that is out of recovery already is accepted only when
 * this run holds the token and the server branched off where this run's copy stood.
 */
async function promoteOnce(open: Vault, client: Client, input: Input, claims: Promise<readonly Claim[]>) {
  const { at, target, point, fence } = input;
  const copy = input.restored.cluster ?? point;
  const found = await inspectServer(client, point);
  requireSystem(found, target, copy);
  if (found.inRecovery) {
    if (input.restored.cluster === undefined) requireReady(found, target, point);
    else requireTakesWrites(found, target);
    requireVerifiedPosition(found, input);
    await requireStillFenced(input.damaged);
  } else {
    await requireOwnPromotion(open, input);
  }
  const token = await takePromotionToken(
    open,
    {
      ...at,
      systemIdentifier: point.systemIdentifier,
      timeline: point.timeline,
      fencingToken: fence.token,
      site: target.site,
      replayLsn: found.replayLsn ?? '',
      checksSha256: hashOfChecks(input.checks),
    },
    claims,
  );
  if (found.inRecovery) {
    requireStill(found, token);
    await endRecovery(client, target);
  }
  const timeline = await confirm(client, target, point, copy.timeline, token);
  const done = await recordPromotionDone(open, token, { timeline, promotedAt: new Date().toISOString() });
  return {
    token: token.key,
    timeline,
    promotedAt: done.promotedAt,
    alreadyDone: !found.inRecovery,
    summary: `${target.site} takes writes on timeline ${timeline}, branched off at ${token.claim.replayLsn}${found.inRecovery ? '' : '; an earlier attempt of this run had promoted it'}`,
  };
}

/** @throws PermanentError `PromotedByOther` */
async function requireOwnPromotion(open: Vault, { at, target, point, fence }: Input): Promise<void> {
  const claims = await requireFencingToken(open, { ...at, token: fence.token });
  if (claims.at(-1)?.kind === 'promotion') return;
  throw new PermanentError(
    'PromotedByOther',
    `The copy at ${target.site} takes writes already, and this run has not promoted it.`,
    {
      why: `Somebody promoted it by hand, or it went past ${point.time}; what was verified is not what runs there.`,
      next: 'Stop it, restore and verify again.',
    },
  );
}

/** @throws PermanentError `NotAtPoint` when the copy is not where it was verified */
function requireVerifiedPosition(found: ServerState, { target, restored }: Input): void {
  if (found.replayLsn === restored.lsn) return;
  throw new PermanentError(
    'NotAtPoint',
    `The copy at ${target.site} was verified at ${restored.lsn} and stands at ${found.replayLsn} now.`,
    {
      why: 'Somebody let its replay go on, or restored it again: what would be promoted is not what was verified.',
      next: 'Abort and begin again, so that what is there is restored and verified anew.',
    },
  );
}

/** @throws PermanentError `NotAtPoint` when the copy is not where it was when the token was taken */
function requireStill(found: ServerState, token: PromotionToken): void {
  if (found.replayLsn === token.claim.replayLsn) return;
  throw new PermanentError(
    'NotAtPoint',
    `This run's promotion token is for the position ${token.claim.replayLsn}; the copy stands at ${found.replayLsn}.`,
    { next: 'Restore the approved point again: it ends at the same position. Then retry the step.' },
  );
}

async function endRecovery(client: Client, target: DatabaseAt): Promise<void> {
  // Replay stays paused until then: promoting from the pause replays nothing more.
  const { rows } = await client.query<{ promoted: boolean }>(
    'select pg_promote(wait => true, wait_seconds => $1) as promoted',
    [PROMOTE_SECONDS],
  );
  if (rows[0]?.promoted === true) return;
  throw new TransientError(
    'PromotionSlow',
    `The copy at ${target.site} was told to end recovery and has not within ${PROMOTE_SECONDS} s.`,
    { next: 'See its log. The step looks again by itself; nothing is promoted twice.' },
  );
}

/** @returns the timeline that the server writes on; @throws PermanentError `PromotionWrong` */
async function confirm(
  client: Client,
  target: DatabaseAt,
  point: ReplacedPrimary,
  /** Timeline that the copy stood on. */
  before: number,
  token: PromotionToken,
): Promise<number> {
  const { timeline } = await inspectServer(client, point);
  if (timeline === null) {
    throw new TransientError('PromotionSlow', `The copy at ${target.site} is still in recovery.`, {
      next: 'See its log. The step looks again by itself; nothing is promoted twice.',
    });
  }
  const branch = timeline > before ? await readBranch(client, timeline) : undefined;
  if (branch?.parent === before && branch.lsn === token.claim.replayLsn) {
    await client.query('begin; create temporary table muster_proof (x integer); rollback');
    return timeline;
  }
  throw new PermanentError(
    'PromotionWrong',
    `The server at ${target.site} writes on timeline ${timeline}, which left timeline ${branch?.parent ?? 'unknown'} at ${branch?.lsn ?? 'unknown'}; this run's copy stood on ${before} at ${token.claim.replayLsn}.`,
    {
      why: 'What runs there is not what was verified and approved.',
      next: 'Keep traffic away from it (no cutover), find out who promoted it, then restore and verify again.',
    },
  );
}

function asAdmin<T>({ postgres }: DatabaseAt, work: (client: Client) => Promise<T>): Promise<T> {
  const { host, port, database, admin } = postgres;
  return withClient(
    { host, port, database, ...admin },
    { statementTimeoutMs: (PROMOTE_SECONDS + 10) * 1000, applicationName: 'muster promote' },
    work,
  );
}
