/** What the commands of decisions have in common: whose run, who decides, what was answered. */
import { InputError, RefusedError } from '../errors.js';
import type { Decision, DecisionAnswer } from '../model/decision.js';
import type { OpenDecision, RunView } from '../model/run.js';
import type { Said } from '../people/statement.js';
import type { TemporalSession } from '../temporal/connection.js';
import { decide } from '../temporal/decide.js';
import { lookAt } from '../temporal/observe.js';
import type { RunHandle } from '../temporal/runs.js';
import type { CliContext } from './context.js';
import type { DecisionOptions } from './decision-options.js';
import { possibleActions } from './render/actions.js';
import { decisionLines } from './render/decisions.js';
import { paintLine } from './render/line.js';
import { originOf, type Prover, proverFrom, type Situation } from './sender.js';
import { chooseRun, parseMode, parsePerson, withTemporal } from './sessions.js';

/** Asked before the decision is sent; throws to stop it. */
export type BeforeSending = (situation: Situation) => Promise<void>;

/**
 * Sends a decision to the active run of a system and shows the answer.
 *
 * @throws RefusedError when there is no such run, or with the run's reason and what is possible now
 */
export async function sendDecision(
  context: CliContext,
  system: string,
  what: Omit<Said, 'by' | 'reason'>,
  options: DecisionOptions,
  before?: BeforeSending,
): Promise<void> {
  const mode = parseMode(options.mode);
  const by = parsePerson(context, options.by);
  await withTemporal(context, async (session) => {
    const run = await chooseRun(session, system, mode);
    const { view } = await lookAt(session, run);
    const situation = { session, run, view };
    await before?.(situation);
    const said: Said = { ...what, by, ...(options.reason === undefined ? {} : { reason: options.reason }) };
    const { text } = await send(context, situation, said, proverFrom(context, options));
    const result = { accepted: true, text, system: run.system, runId: run.runId ?? null, ...said };
    context.out.result(result, () => `${text}\nWatch it: muster watch ${run.system}`);
  });
}

/**
 * Sends somebody's word to the run, with their proof.
 *
 * @throws InputError when something that the roster asks of them is not there; nothing was sent
 * @throws RefusedError with the run's reason and what is possible now
 */
export async function send(
  context: CliContext,
  { session, run, view }: Situation,
  said: Said,
  prover: Prover,
): Promise<DecisionAnswer> {
  // What nobody has seen cannot be signed for: the run says what is missing once it answers.
  const word: Decision = view === undefined ? said : await prover({ session, run, view }, said);
  const decision: Decision = { ...word, origin: originOf(context.world) };
  try {
    return await decide(session, run, decision, openingOf(view, said.on), decisionsTaken(view));
  } catch (error) {
    throw error instanceof RefusedError ? await withWhatIsPossible(session, run, error) : error;
  }
}

/** What waits under that name; undefined for what is about the whole run. */
export function openingOf(view: RunView | undefined, on: string): OpenDecision | undefined {
  return view?.openDecisions.find((open) => open.gate === on || open.step === on);
}

function decisionsTaken(view: RunView | undefined): number {
  return view?.steps.reduce((sum, step) => sum + step.decisions.length, 0) ?? 0;
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

/** Shows what waits, with everything that is needed to decide. */
export function showOpenDecisions(context: CliContext, view: RunView): void {
  const { width, colors } = context.out;
  const now = Date.now();
  for (const open of view.openDecisions) {
    const lines = decisionLines(open, view, { width, now, facts: 100, long: 'wrap', failureLines: 100 });
    for (const line of [...lines, []]) context.out.line(paintLine(line, width, colors.isColorSupported));
  }
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
    if (view !== undefined) showOpenDecisions(context, view);
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
