/**
 * The fence of a planned switchover. A fence by logins would be written to the log and reach the standby with everything else,
 * which would then be shut as well; so the primary is shut down instead. PostgreSQL ends every session, writes its last
 * checkpoint and waits until the standby has it (manual: 27.2.5, pg_ctl). A `standby.signal` in the stopped cluster makes whoever starts
 * it get a standby that takes no writes.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, PermanentError } from '../../src/errors.js';
import { formatBytes } from '../../src/model/format.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, FailbackActivities, StepRef, Summarised, SwitchoverFence } from '../contract.js';
import { proveDown } from '../fence/down.js';
import { answerOf } from '../fence/proof.js';
import { lsnToNumber } from '../pgbackrest/wal.js';
import { serviceOf } from '../service/index.js';
import { onStandby, readFacts } from '../standby/state.js';
import { acquireFencingToken, releaseFencingToken, requireFencingToken, withVault } from '../vault/index.js';
import { readLastRecord } from './exact.js';
import { askPrimary } from './find.js';
import { NEAR_BYTES } from './hold.js';
import { writeOwnedFile } from './owned-file.js';

type Input = Parameters<FailbackActivities['stopForSwitchover']>[0];

const CHECKPOINT_MS = 10 * 60_000;
/** The standby has the last record when the primary ends; replaying it takes no time. */
const REPLAYED_MS = 8_000;
const POLL_MS = 50;

export async function stopForSwitchover(input: Input): Promise<SwitchoverFence> {
  const { at, primary, vault, found } = input;
  const signal = activitySignal();
  const { systemIdentifier, timeline } = found;
  const service = serviceOf(primary.postgres);
  const token = await withVault(vault, signal, async (open) => {
    const token = await acquireFencingToken(open, { ...at, systemIdentifier, timeline });
    const running = await service.pid();
    if (running !== undefined) {
      await requireSwitchable(input);
      // Written while users still work, so that the one of the shutdown is short.
      await onStandby(primary, (client) => client.query('checkpoint'), CHECKPOINT_MS);
      await requireFencingToken(open, { ...at, token });
      await writeMark(primary, at);
      await service.stop('fast');
    }
    await requireFencingToken(open, { ...at, token });
    return token;
  });
  const stoppedAt = (await readMark(primary))?.at ?? new Date().toISOString();
  try {
    await requireClean(input);
    await writeOwnedFile(signalOf(primary), `${at.runId}\n`, primary.postgres.service.account);
    const answer = await proveSilence(input, token);
    const shutdown = await requireEverythingReplayed(input);
    const { application } = primary.postgres;
    return {
      token,
      refusedWrite: { at: new Date().toISOString(), as: application.user, answer },
      terminatedSessions: 0,
      lastWriteAt: null,
      census: Object.fromEntries(
        Object.keys(input.dataClasses).map((name) => [name, { records: 0, newest: null }]),
      ),
      shutdown: { at: stoppedAt, ...shutdown },
      summary: `${primary.site} is shut down (${answer}); its last record, the checkpoint at ${shutdown.checkpointLsn}, is replayed at ${input.standby.site}: nothing is lost`,
    };
  } catch (error) {
    throw await openedAgain(input, error);
  }
}

/** @throws PermanentError `RunsElsewhere`, `StandbyBehind`: nothing was touched */
async function requireSwitchable({ primary, standby, found }: Input): Promise<void> {
  const server = await askPrimary(primary);
  if (server.systemIdentifier !== found.systemIdentifier || server.timeline !== found.timeline) {
    throw new PermanentError(
      'RunsElsewhere',
      `At ${primary.site} is system ${server.systemIdentifier} on timeline ${server.timeline ?? 'of another server'}, not the primary that was found.`,
      { why: 'Nothing was changed on it.', next: 'Abort, find out what happened there, and begin anew.' },
    );
  }
  const facts = await onStandby(standby, readFacts);
  const behind = Math.max(0, lsnToNumber(server.lsn) - lsnToNumber(facts.replayedLsn ?? '0/0'));
  if (
    facts.inRecovery &&
    facts.receiver === 'streaming' &&
    facts.pauseState === 'not paused' &&
    behind <= NEAR_BYTES
  ) {
    return;
  }
  throw new PermanentError(
    'StandbyBehind',
    `The standby at ${standby.site} is not ready: ${facts.receiver ?? 'it receives nothing'}, replay ${facts.pauseState}, ${formatBytes(behind)} behind.`,
    {
      why: `${primary.site} still takes its writes: nothing was stopped.`,
      next: 'See why it lags (network, long queries on it), then retry the step.',
    },
  );
}

export async function requireClean({ primary, found }: Pick<Input, 'primary' | 'found'>): Promise<void> {
  const { state, systemIdentifier } = await serviceOf(primary.postgres).control();
  if (
    (state === 'shut down' || state === 'shut down in recovery') &&
    systemIdentifier === found.systemIdentifier
  )
    return;
  throw new PermanentError(
    'NotShutDownCleanly',
    `The cluster at ${primary.site} (system ${systemIdentifier}) is "${state}", not shut down cleanly.`,
    {
      why: 'Nobody can say that the standby has everything.',
      next: 'It is opened again. See its log; if the server is broken, begin the scenario that fits instead.',
    },
  );
}

/** The same proof as of any primary that is down, and that the application gets no answer. */
async function proveSilence({ at, primary, found, dataClasses }: Input, token: number): Promise<string> {
  const refused = await askPrimary(primary).then(
    () => undefined,
    (error: unknown) => error,
  );
  const order = {
    runId: at.runId,
    damaged: primary,
    systemIdentifier: found.systemIdentifier,
    timeline: found.timeline,
    token,
    since: found.time,
    dataClasses,
    signal: activitySignal(),
    attempts: 1,
    requireInCharge: async () => undefined,
  };
  if (refused === undefined || answerOf(refused).code !== 'ECONNREFUSED') {
    throw new PermanentError(
      'FenceNotProven',
      `${primary.site} was shut down, and something answers at its address: ${refused === undefined ? 'a server' : messageOf(refused)}.`,
      {
        why: 'A primary that may still take writes must not be replaced.',
        next: 'Find out what starts it (a service manager, a person), stop that, then retry the step.',
      },
    );
  }
  return proveDown(order, refused);
}

/** @throws PermanentError `SwitchoverLossy` */
async function requireEverythingReplayed({ primary, standby }: Input) {
  const { checkpointLsn, timeline, walSegmentBytes } = await serviceOf(primary.postgres).control();
  const last = await readLastRecord(primary, { lsn: checkpointLsn, timeline, segmentBytes: walSegmentBytes });
  const begun = performance.now();
  for (;;) {
    const { replayedLsn, receivedLsn } = await onStandby(standby, readFacts);
    if (replayedLsn === last.endLsn) return { checkpointLsn: last.lsn, endLsn: last.endLsn };
    if (performance.now() - begun > REPLAYED_MS) {
      throw new PermanentError(
        'SwitchoverLossy',
        `The standby at ${standby.site} has replayed up to ${replayedLsn ?? 'nothing'} (received ${receivedLsn ?? 'nothing'}); ${primary.site} ended at ${last.endLsn}.`,
        {
          why: 'Promoting it would lose what lies between: a planned switchover loses nothing.',
          next: 'See why the standby stopped receiving, then retry the step; or abort.',
        },
      );
    }
    await wait(POLL_MS, undefined, { signal: activitySignal() });
  }
}

/** What a switchover that did not come about leaves is a primary that takes its writes. */
export async function openedAgain(
  input: Pick<Input, 'at' | 'primary' | 'vault'>,
  error: unknown,
): Promise<unknown> {
  // One that is being called off is opened by its undo.
  if (!(error instanceof PermanentError) || activitySignal().aborted) return error;
  const { summary } = await reopenPrimary(input);
  return new PermanentError(error.code, error.message, {
    why: [error.why, `${summary}.`].filter((part) => part !== undefined).join(' '),
    next: error.next,
    cause: error,
    details: { ...error.details, nothingDone: true },
  });
}

export async function reopenPrimary({
  at,
  primary,
  vault,
}: Parameters<FailbackActivities['reopenPrimary']>[0]): Promise<Summarised> {
  const stays = await withVault(vault, activitySignal(), (open) => releaseFencingToken(open, at));
  if (stays !== undefined) return { summary: `${primary.site} stays as it is: ${stays}` };
  if ((await readMark(primary))?.runId !== at.runId) {
    return { summary: `${primary.site} was not shut down by this run; nothing to undo` };
  }
  const signal = await readFile(signalOf(primary), 'utf8').catch(() => '');
  if (signal.trim() === at.runId) {
    const service = serviceOf(primary.postgres);
    // Somebody may have started it meanwhile: as a standby it has to be started anew.
    await service.stop('fast');
    await rm(signalOf(primary), { force: true });
  }
  await serviceOf(primary.postgres).start('ready');
  await dropMark(primary);
  return { summary: `${primary.site} takes logins and writes as before` };
}

export function signalOf({ postgres }: DatabaseAt): string {
  return join(postgres.service.dataDirectory, 'standby.signal');
}

interface Mark {
  readonly runId: string;
  readonly at: string;
}

/** Beside the data directory: which run shut the cluster down, and when. */
function markOf({ postgres }: DatabaseAt): string {
  return `${postgres.service.dataDirectory}.switchover.json`;
}

export async function writeMark(primary: DatabaseAt, { runId }: StepRef): Promise<void> {
  const mark: Mark = { runId, at: new Date().toISOString() };
  await writeFile(markOf(primary), `${JSON.stringify(mark)}\n`, { mode: 0o644, flush: true });
}

async function readMark(primary: DatabaseAt): Promise<Mark | undefined> {
  const text = await readFile(markOf(primary), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Mark);
}

export function dropMark(primary: DatabaseAt): Promise<void> {
  return rm(markOf(primary), { force: true });
}
