/** `muster approve --all <gate>`: one word at the same gate of every run that waits there, each signed for itself. */
import { InputError, MusterError, messageOf } from '../errors.js';
import type { RunView } from '../model/run.js';
import type { TemporalSession } from '../temporal/connection.js';
import { lookAt } from '../temporal/observe.js';
import { activeRuns, type RunHandle } from '../temporal/runs.js';
import { confirmByTyping } from './confirm.js';
import { type CliContext, exitCodes } from './context.js';
import { openingOf, send, showOpenDecisions } from './deciding.js';
import type { DecisionOptions } from './decision-options.js';
import { proverFrom } from './sender.js';
import { parsePerson, withTemporal } from './sessions.js';

interface Waiting {
  readonly run: RunHandle;
  readonly view: RunView;
}

export interface Answered {
  readonly system: string;
  readonly runId: string | null;
  readonly accepted: boolean;
  readonly text: string;
}

export interface TogetherDecision extends DecisionOptions {
  readonly yes?: boolean;
}

/**
 * Shows each gate with everything there is to know, asks once, and sends a decision a run: each is signed for its own run and
 * plan, and counts there alone. One that is refused holds up none of the others.
 *
 * @throws InputError when no run waits at such a gate
 */
export async function approveTogether(
  context: CliContext,
  gate: string,
  options: TogetherDecision,
): Promise<void> {
  const by = parsePerson(context, options.by);
  await withTemporal(context, async (session) => {
    const waiting = await waitingAt(session, gate);
    if (waiting.length === 0) throw nobodyWaits(gate);
    for (const { view } of waiting) {
      context.out.line(`== ${view.system} ==`);
      showOpenDecisions(context, {
        ...view,
        openDecisions: view.openDecisions.filter((open) => open.gate === gate),
      });
    }
    const systems = waiting.map(({ view }) => view.system).join(', ');
    if (options.yes !== true) {
      await confirmByTyping(context, `Type ${gate} to approve it for ${systems}:`, gate);
    }
    const answered: Answered[] = [];
    // One after the other: a code of an authenticator counts once, and is asked for each that demands one.
    for (const one of waiting) answered.push(await approve(context, session, one, { gate, by, options }));
    context.out.result({ gate, by, decisions: answered }, () =>
      answered
        .map(({ system, accepted, text }) => `${system}: ${accepted ? '' : 'NOT ACCEPTED: '}${text}`)
        .join('\n'),
    );
    if (answered.some(({ accepted }) => !accepted)) context.finishWith(exitCodes.badInput);
  });
}

async function approve(
  context: CliContext,
  session: TemporalSession,
  { run, view }: Waiting,
  { gate, by, options }: { readonly gate: string; readonly by: string; readonly options: TogetherDecision },
): Promise<Answered> {
  const { system } = view;
  const runId = run.runId ?? null;
  const said = {
    on: gate,
    choice: 'approve' as const,
    by,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  };
  try {
    const { text } = await send(context, { session, run, view }, said, proverFrom(context, options));
    return { system, runId, accepted: true, text };
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    return { system, runId, accepted: false, text: messageOf(error) };
  }
}

async function waitingAt(session: TemporalSession, gate: string): Promise<readonly Waiting[]> {
  const runs = (await activeRuns(session)).filter(({ mode }) => mode === 'real');
  const looks = await Promise.all(runs.map(async (run) => ({ run, ...(await lookAt(session, run)) })));
  return looks.flatMap(({ run, view }) =>
    view !== undefined && openingOf(view, gate)?.gate === gate ? [{ run, view }] : [],
  );
}

function nobodyWaits(gate: string): InputError {
  return new InputError(`No run waits at the gate ${gate}; nothing was sent.`, [
    { field: '<gate>', given: gate, allowed: 'a gate that is open: muster status names them' },
  ]);
}
