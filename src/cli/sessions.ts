/** How commands reach Temporal and the run they are about. */
import { InputError, RefusedError } from '../errors.js';
import type { Mode } from '../model/run.js';
import { connectTemporal, type TemporalSession } from '../temporal/connection.js';
import { activeRuns, findRun, findRunById, type RunHandle } from '../temporal/runs.js';
import { findTemporal } from '../temporal/target.js';
import type { CliContext } from './context.js';

/** Connects, does the work, and closes the connection however the work ends. */
export async function withTemporal<T>(
  context: CliContext,
  work: (session: TemporalSession) => Promise<T>,
): Promise<T> {
  const session = await connectTemporal(await findTemporal(context.world.env));
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}

/** @throws InputError for a mode that is none */
export function parseMode(given: string | undefined): Mode | undefined {
  if (given === undefined || given === 'real' || given === 'drill') return given;
  throw new InputError('There is no such mode.', [{ field: '--mode', given, allowed: 'real or drill' }]);
}

/**
 * The run that is meant.
 *
 * @param name a system or the id of a run; nothing: the one run that is active
 * @throws RefusedError when there is none; InputError when several are active and none is named
 */
export async function chooseRun(
  session: TemporalSession,
  name: string | undefined,
  mode?: Mode,
): Promise<RunHandle> {
  if (name === undefined) return theActiveRun(session);
  const found = (await findRun(session, name, mode)) ?? (await findRunById(session, name));
  if (found !== undefined) return found;
  const others = (await activeRuns(session)).map((run) => run.runId ?? run.workflowId);
  throw new RefusedError(
    'NoSuchRun',
    `Temporal at ${session.target.address} knows no ${mode === undefined ? '' : `${mode} `}run of ${name}.`,
    {
      next:
        others.length === 0
          ? 'No run is active. Begin one with muster recover.'
          : `Active runs: ${others.join(', ')}.`,
    },
  );
}

async function theActiveRun(session: TemporalSession): Promise<RunHandle> {
  const active = await activeRuns(session);
  const [only, second] = active;
  if (only === undefined) {
    throw new RefusedError('NoActiveRun', 'No run is active.', {
      next: 'Name a system to see its last run, or begin one with muster recover.',
    });
  }
  if (second === undefined) return only;
  throw new InputError('Several runs are active.', [
    {
      field: 'system',
      given: 'nothing',
      allowed: active.map((run) => run.runId ?? run.workflowId).join(', '),
    },
  ]);
}

/** Who gives a command: `--by`, else MUSTER_BY. @throws InputError when neither says */
export function parsePerson(context: CliContext, by: string | undefined): string {
  const person = by ?? context.world.env.MUSTER_BY;
  if (person !== undefined && person.trim() !== '') return person.trim();
  throw new InputError('It is not said who decides.', [
    {
      field: '--by',
      given: 'nothing',
      allowed: "a name from the runbook's people (or MUSTER_BY in the environment)",
    },
  ]);
}
