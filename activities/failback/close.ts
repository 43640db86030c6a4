/**
 * The primary answers and takes nothing any more: shut down cleanly and started in recovery as a standby of nobody, where PostgreSQL refuses
 * every write, whoever asks (manual: 27.4.1). What is dumped then is the last state there is.
 */
import { PermanentError } from '../../src/errors.js';
import { withClient } from '../../src/postgres.js';
import { activitySignal } from '../context.js';
import type { DatabaseAt, FailbackActivities, FenceProof } from '../contract.js';
import { answerOf } from '../fence/proof.js';
import { serviceOf } from '../service/index.js';
import { onStandby, readFacts } from '../standby/state.js';
import { acquireFencingToken, requireFencingToken, withVault } from '../vault/index.js';
import { askPrimary } from './find.js';
import { writeOwnedFile } from './owned-file.js';
import { openedAgain, requireClean, signalOf, writeMark } from './stop.js';

type Input = Parameters<FailbackActivities['closeForDump']>[0];

const CHECKPOINT_MS = 10 * 60_000;
const TRY_MS = 5_000;
/** `read_only_sql_transaction` (manual: appendix A). */
const READ_ONLY = '25006';

export async function closeForDump(input: Input): Promise<FenceProof> {
  const { at, primary, vault, found } = input;
  const signal = activitySignal();
  const { systemIdentifier, timeline } = found;
  const service = serviceOf(primary.postgres);
  const token = await withVault(vault, signal, async (open) => {
    const token = await acquireFencingToken(open, { ...at, systemIdentifier, timeline });
    const requireInCharge = () => requireFencingToken(open, { ...at, token });
    if ((await service.pid()) !== undefined && !(await isClosed(primary))) {
      await requirePrimary(input);
      // Written while users still work, so that the one of the shutdown is short.
      await onStandby(primary, (client) => client.query('checkpoint'), CHECKPOINT_MS);
      await requireInCharge();
      await writeMark(primary, at);
      await service.stop('fast');
    }
    await requireInCharge();
    return token;
  });
  try {
    if ((await service.pid()) === undefined) {
      await requireClean(input);
      await writeOwnedFile(signalOf(primary), `${at.runId}\n`, primary.postgres.service.account);
      await service.start('ready');
    }
    const refusedWrite = await proveReadOnly(primary);
    const { replayedLsn } = await onStandby(primary, readFacts);
    return {
      token,
      refusedWrite,
      terminatedSessions: 0,
      lastWriteAt: null,
      census: Object.fromEntries(
        Object.keys(input.dataClasses).map((name) => [name, { records: 0, newest: null }]),
      ),
      summary: `${primary.site} takes no writes (${refusedWrite.answer}) and stands at ${replayedLsn ?? 'its end'}: what is dumped now is all there is`,
    };
  } catch (error) {
    throw await openedAgain(input, error);
  }
}

async function isClosed(primary: DatabaseAt): Promise<boolean> {
  const { inRecovery } = await onStandby(primary, readFacts);
  return inRecovery;
}

/** @throws PermanentError `RunsElsewhere`: nothing was touched */
async function requirePrimary({ primary, found }: Input): Promise<void> {
  const server = await askPrimary(primary);
  if (server.systemIdentifier === found.systemIdentifier && server.timeline === found.timeline) return;
  throw new PermanentError(
    'RunsElsewhere',
    `At ${primary.site} is system ${server.systemIdentifier} on timeline ${server.timeline ?? 'of another server'}, not the primary that was found.`,
    { why: 'Nothing was changed on it.', next: 'Abort, find out what happened there, and begin anew.' },
  );
}

/** As the application, by its own way. @throws PermanentError `FenceNotProven` */
async function proveReadOnly({
  site,
  postgres,
}: DatabaseAt): Promise<NonNullable<FenceProof['refusedWrite']>> {
  const { host, port, database, application } = postgres;
  let outcome = 'could write';
  let cause: unknown;
  try {
    await withClient(
      { host, port, database, ...application },
      { statementTimeoutMs: TRY_MS, connectTimeoutMs: TRY_MS, applicationName: 'muster proof' },
      (client) => client.query('begin; create temporary table muster_proof (x integer); rollback'),
    );
  } catch (error) {
    const { code, text } = answerOf(error);
    if (code === READ_ONLY) {
      return { at: new Date().toISOString(), as: application.user, answer: `${code} ${text}` };
    }
    [cause, outcome] = [error, `got no refusal that only recovery explains: ${code ?? ''} ${text}`];
  }
  throw new PermanentError(
    'FenceNotProven',
    `That ${site} takes no writes is not proven: ${application.user} at ${host}:${port} ${outcome}.`,
    {
      why: 'What is written after the dump would be lost.',
      next: 'Find out what the application met there (password in the runbook, pg_hba.conf), then retry the step.',
      ...(cause === undefined ? {} : { cause }),
    },
  );
}
