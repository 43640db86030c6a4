/** What the commands of decisions have in common: whose run, who decides, what was answered. */
import { InputError, RefusedError } from '../errors.js';
import type { Decision } from '../model/decision.js';
import type { RunView } from '../model/run.js';
import type { TemporalSession } from '../temporal/connection.js';
import { decide } from '../temporal/decide.js';
import { lookAt } from '../temporal/observe.js';
import type { RunHandle } from '../temporal/runs.js';
import type { CliContext } from './context.js';
import { decisionLines, possibleActions } from './render/decisions.js';
import { paintLine } from './render/line.js';
import { chooseRun, parseMode, parsePerson, withTemporal } from './sessions.js';

export interface DecisionOptions {
  readonly by?: string;
  readonly reason?: string;
  readonly mode?: string;
}

/** What is decided: a decision without the person, who is known from the options. */
export type WhatIsDecided = Omit<Decision, 'by' | 'reason'>;

/** Asked before the decision is sent; throws to stop it. */
export type BeforeSending = (view: RunView | undefined, run: RunHandle) => Promise<void>;

/**
 * Sends a decision to the active run of a system and shows the answer.
 *
 * @throws RefusedError when there is no such run, or with the run's reason and what is possible now
 */
export async function sendDecision(
  context: CliContext,
  system: string,
  what: WhatIsDecided,
  options: DecisionOptions,
  before?: BeforeSending,
): Promise<void> {
  const mode = parseMode(options.mode);
  const by = parsePerson(context, options.by);
  await withTemporal(context, async (session) => {
    const run = await chooseRun(session, system, mode);
    const { view } = await lookAt(session, run);
    await before?.(view, run);
    const decision: Decision = {
      ...what,
      by,
      ...(options.reason === undefined ? {} : { reason: options.reason }),
    };
    const opening = view?.openDecisions.find((open) => open.gate === what.on || open.step === what.on);
    try {
      const answer = await decide(session, run, decision, opening);
      const result = {
        accepted: true,
        text: answer.text,
        system: run.system,
        runId: run.runId ?? null,
        ...decision,
      };
      context.out.result(result, () => `${answer.text}\nWatch it: muster watch ${run.system}`);
    } catch (error) {
      throw error instanceof RefusedError ? await withWhatIsPossible(session, run, error) : error;
    }
  });
}

async function withWhatIsPossible(
  session: TemporalSession,
  run: RunHandle,
  refused: RefusedError,
): Promise<RefusedError> {
  const { view } = await lookAt(session, run);
  const commands =
    view === undefined || view.endedAt !== undefined ? [] : possibleActions(view).map((each) => each.command);
  if (commands.length === 0) return refused;
  return new RefusedError(refused.code, refused.message, {
    next: `Possible now:\n         ${commands.join('\n         ')}`,
    cause: refused.cause,
  });
}

/**
 * Shows what waits, with everything that is needed to decide.
 * @throws InputError always: it is not said what is decided
 */
export async function showWhatWaits(
  context: CliContext,
  system: string,
  options: DecisionOptions,
): Promise<never> {
  return withTemporal(context, async (session) => {
    const run = await chooseRun(session, system, parseMode(options.mode));
    const { view } = await lookAt(session, run);
    const open = view?.openDecisions ?? [];
    const { width, colors } = context.out;
    const now = Date.now();
    if (view !== undefined) {
      for (const decision of open) {
        const lines = decisionLines(decision, view, {
          width,
          now,
          facts: 100,
          long: 'wrap',
          failureLines: 100,
        });
        for (const line of [...lines, []]) context.out.line(paintLine(line, width, colors.isColorSupported));
      }
    }
    throw new InputError('It is not said what is decided; nothing was sent.', [
      {
        field: '<gate>',
        given: 'nothing',
        allowed:
          open.length === 0
            ? 'nothing waits for a person now'
            : open.map((each) => each.gate ?? each.step).join(', '),
      },
    ]);
  });
}
