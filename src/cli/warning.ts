/** What cannot be taken back is said in words, and on a terminal confirmed, before it is sent. */
import { type Decision, WHOLE_RUN } from '../model/decision.js';
import type { OpenDecision, RunView, StepView } from '../model/run.js';
import { type RosterOfRun, rosterOf } from '../temporal/roster.js';
import { confirmByTyping } from './confirm.js';
import type { CliContext } from './context.js';
import { openingOf } from './deciding.js';
import { plain, wrap } from './render/line.js';
import type { Situation } from './sender.js';

type Serious = Pick<Decision, 'on' | 'choice'>;

/**
 * Says what a serious decision means, and asks for a word to be typed; says and asks nothing for any other.
 *
 * @param ask false with `--yes`
 * @throws RefusedError `NotConfirmed`
 */
export async function confirmSerious(
  context: CliContext,
  situation: Situation,
  decision: Serious,
  ask: boolean,
): Promise<void> {
  const { session, run, view } = situation;
  if (view === undefined || view.endedAt !== undefined) return;
  const roster = decision.choice === 'override' ? await rosterOf(session, run) : undefined;
  const warnings = warningsOf(view, decision, roster);
  if (warnings.length === 0) return;
  for (const warning of warnings) {
    for (const line of wrap(plain(warning), context.out.width)) context.out.line(line);
  }
  const word = decision.on === WHOLE_RUN ? run.system : decision.on;
  if (ask) await confirmByTyping(context, `Type ${word} to ${decision.choice}:`, word);
}

/** Empty for what can be taken back, or mended by another decision. */
export function warningsOf(
  view: RunView,
  { on, choice }: Serious,
  roster: RosterOfRun | undefined,
): readonly string[] {
  const open = openingOf(view, on);
  switch (choice) {
    case 'abort':
      return view.abortDoes === undefined ? [] : [`Aborting ${view.runId} ${view.abortDoes}.`];
    case 'override':
      return open === undefined ? [] : overrideWarnings(open, on, roster);
    case 'skip': {
      const consequence = consequenceOf(open, choice);
      return consequence === undefined ? [] : [`Skipping ${on}: ${consequence}.`];
    }
    case 'approve':
      return open !== undefined && leadsToNoReturn(view, open.step)
        ? [`Approving ${on} opens the way to the point of no return: after it the run cannot be aborted.`]
        : [];
    default:
      return [];
  }
}

function overrideWarnings(open: OpenDecision, on: string, roster: RosterOfRun | undefined): string[] {
  const consequence = consequenceOf(open, 'override');
  if (consequence === undefined) return [];
  const people = roster?.people.map(({ name }) => name) ?? [];
  return [
    `Overriding ${on} ${consequence}.`,
    ...(open.gate === undefined ? [] : [`Missing: ${open.missing || 'nobody'}.`]),
    `Told at once: ${people.length === 0 ? 'everybody on the roster' : people.join(', ')}. It stands on the first page of the report.`,
  ];
}

function consequenceOf(open: OpenDecision | undefined, choice: Serious['choice']): string | undefined {
  return open?.choices.find((each) => each.choice === choice)?.consequence;
}

/** Whether the promotion needs this step. */
function leadsToNoReturn({ steps, pointOfNoReturnPassed }: RunView, gate: string): boolean {
  const promotes = ({ kind, needs }: StepView) => kind === 'promotion' && needs.includes(gate);
  return !pointOfNoReturnPassed && steps.some(promotes);
}
