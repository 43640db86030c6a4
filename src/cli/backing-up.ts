/** Taking backups: everything that can be wrong is found before anything is started. */
import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { InputError, RefusedError } from '../errors.js';
import {
  type BackupRunInput,
  type BackupRunResult,
  type BackupType,
  backupTypes,
} from '../model/backup-run.js';
import { TASK_QUEUE } from '../model/task-queue.js';
import { loadSystem } from '../runbook/load.js';
import type { Runbook } from '../runbook/schema.js';
import type { TemporalSession } from '../temporal/connection.js';
import { newRunId } from '../temporal/names.js';
import { CALL_MS, findRun } from '../temporal/runs.js';
import { requireWorker } from '../temporal/workers.js';
import { type CliContext, exitCodes } from './context.js';
import { backupLines } from './render/backup.js';
import { withTemporal } from './sessions.js';

export interface BackupOptions {
  readonly type?: string;
  readonly by?: string;
  readonly wait: boolean;
}

/** @throws InputError or RefusedError for everything that keeps it from being begun */
export async function backUp(
  context: CliContext,
  system: string,
  name: string | undefined,
  options: BackupOptions,
): Promise<void> {
  const { runbook } = await loadSystem((await context.runbooks()).dir, system);
  const names = namesOf(runbook, name);
  const type = typeOf(runbook, names, options.type);
  await withTemporal(context, async (session) => {
    await refuseBesideRecovery(session, system);
    await requireWorker(session);
    const input: BackupRunInput = {
      runId: newRunId(system, 'backup', new Date(), randomBytes(2).toString('hex')),
      requestedBy: options.by ?? context.world.env.MUSTER_BY ?? userInfo().username,
      runbook,
      names,
      ...(type === undefined ? {} : { type }),
    };
    const handle = await start(session, input);
    context.out.line(`Begun     ${input.runId}: ${names.join(', ')}`);
    if (!options.wait) {
      context.out.result({ runId: input.runId, workflowId: handle.workflowId, names }, () => '');
      return;
    }
    const result = (await handle.result()) as BackupRunResult;
    if (result.findings.some(({ severity }) => severity === 'critical')) context.finishWith(exitCodes.failed);
    context.out.result(result, () => backupLines(result));
  });
}

function namesOf({ backups, system }: Runbook, name: string | undefined): readonly string[] {
  const all = Object.keys(backups);
  if (name === undefined && all.length > 0) return all;
  if (name !== undefined && all.includes(name)) return [name];
  throw new InputError(`${system} has no such backup.`, [
    {
      field: '[backup]',
      given: name ?? 'nothing',
      allowed: all.join(', ') || 'none: the runbook names no backup',
    },
  ]);
}

function typeOf(
  { backups }: Runbook,
  names: readonly string[],
  given: string | undefined,
): BackupType | undefined {
  if (given === undefined) return undefined;
  const physical = names.some((name) => backups[name]?.driver === 'pgbackrest');
  const type = backupTypes.find((each) => each === given);
  if (type !== undefined && physical) return type;
  throw new InputError('A backup of this type cannot be taken.', [
    {
      field: '--type',
      given,
      allowed: physical
        ? backupTypes.join(', ')
        : 'left out: an archive is always of what the runbook says (backups.<name>.content)',
    },
  ]);
}

/** A recovery protects the new primary itself; until then it decides what may still be read. */
async function refuseBesideRecovery(session: TemporalSession, system: string): Promise<void> {
  const found = await findRun(session, system, 'real');
  if (found?.active !== true) return;
  throw new RefusedError(
    'RunActive',
    `${system} is being recovered by run ${found.runId ?? found.workflowId}.`,
    {
      next: 'Let it end: it takes a backup of the new primary itself.',
    },
  );
}

async function start(session: TemporalSession, input: BackupRunInput) {
  const { system } = input.runbook;
  try {
    return await session.connection.withDeadline(Date.now() + CALL_MS, () =>
      session.client.workflow.start('backup', {
        workflowId: `${system}.backup`,
        taskQueue: TASK_QUEUE,
        args: [input],
        workflowIdConflictPolicy: 'FAIL',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: `${input.runbook.title}: backup of ${input.names.join(', ')}`.slice(0, 150),
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new RefusedError('BackupActive', `Backups of ${system} are being taken already.`, {
      next: `Wait until they are: workflow ${system}.backup in Temporal shows how far they are.`,
      cause: error,
    });
  }
}
