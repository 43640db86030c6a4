/** What waits for whom, with all that is needed to decide, and what can be done now with the exact command. */
import type { OpenDecision, RunView, StepView } from '../../model/run.js';
import { bad, dim, type Line, type Piece, pad, plain, strong, warn, widthOf, wrap } from './line.js';
import { expiryText, stepName } from './step-lines.js';
import { clock } from './units.js';

export interface DecisionOptions {
  readonly width: number;
  readonly now: number;
  /** How many facts are shown; what is left out is said. */
  readonly facts: number;
  /** Whether a long fact takes as many lines as it needs, or is cut. */
  readonly long: 'wrap' | 'cut';
  /** Most lines of what went wrong, and most lines of what to do next. */
  readonly failureLines: number;
}

/** One open decision as a block of lines. */
export function decisionLines(open: OpenDecision, view: RunView, options: DecisionOptions): Line[] {
  const { width, now } = options;
  const step = view.steps.find((other) => other.name === open.step);
  const failure = step?.failure;
  const who = whoDecides(open);
  const what = step === undefined ? plain(open.step) : stepName(step);
  const waited = `for ${clock(now - Date.parse(open.since))}`;
  const expiry = open.expiresAt === undefined ? '' : `, ${expiryText(step ?? {}, open.expiresAt, now)}`;
  const tried = failure === undefined || failure.attempts < 2 ? '' : `, tried ${failure.attempts} times`;
  const head: Line =
    failure === undefined
      ? [warn(`WAITS FOR ${who}`), `  ${waited}${expiry}`]
      : [bad(`FAILED ${what}`), '  ', warn(`waits for ${who}`), `  ${waited}${tried}`];
  const indented = (text: string, most: number, style: Piece['style'] = 'plain'): Line[] => {
    const lines = wrap(plain(text), width - 3);
    const shown = lines.slice(0, most);
    if (lines.length > most) shown[most - 1] = lines.slice(most - 1).join(' ');
    return shown.map((line) => ['   ', { text: line, style }]);
  };
  return [
    head,
    ...(failure === undefined
      ? indented(`${what.replace(':', '')}: ${open.question}`, 2, 'strong')
      : [
          ...indented(failure.message, options.failureLines),
          ...indented(`Next: ${failure.next}`, options.failureLines),
        ]),
    ...factLines(open, view, options),
  ];
}

function factLines(open: OpenDecision, view: RunView, { width, facts, long }: DecisionOptions): Line[] {
  const shown = open.facts.length <= facts ? open.facts : open.facts.slice(0, Math.max(0, facts - 1));
  const label = Math.min(24, Math.max(0, ...shown.map((fact) => widthOf(plain(fact.label)))));
  const valueLines = (value: string) => (long === 'wrap' ? wrap(value, width - label - 5) : [value]);
  const lines = shown.flatMap((fact): Line[] =>
    valueLines(plain(fact.value)).map((value, index) => [
      '   ',
      dim(pad(index === 0 ? plain(fact.label) : '', label)),
      `  ${value}`,
    ]),
  );
  const left = open.facts.length - shown.length;
  if (left > 0 && facts > 0) lines.push([dim(`   and ${left} more: muster approve ${view.system}`)]);
  return lines;
}

export interface PossibleAction {
  readonly command: string;
  readonly consequence: string;
}

/** Everything a person can do to the run now. */
export function possibleActions(view: RunView): PossibleAction[] {
  const actions: PossibleAction[] = [];
  const mode = view.mode === 'drill' ? ' --mode drill' : '';
  for (const open of view.openDecisions) {
    const on = open.gate ?? open.step;
    for (const { choice, consequence } of open.choices) {
      if (choice === 'abort') continue;
      const reason = choice === 'deny' ? ' --reason WHY' : '';
      const point = choice === 'approve' && 'point' in open.changes ? ' [--point TIME]' : '';
      actions.push({
        command: `muster ${choice} ${view.system} ${on} --by NAME${reason}${point}${mode}`,
        consequence: plain(consequence),
      });
    }
  }
  if (view.abortDoes !== undefined) {
    actions.push({
      command: `muster abort ${view.system} --by NAME --reason WHY${mode}`,
      consequence: plain(view.abortDoes),
    });
  }
  if (view.endedAt !== undefined) {
    actions.push({
      command: `muster report ${view.runId}`,
      consequence: 'the signed report: what happened, what was lost, who decided',
    });
  }
  return actions;
}

/** What each command does: as many lines as it takes, one line below the command, or what is left of the command's. */
export type Consequences = 'full' | 'below' | 'beside';

/** The commands that a person can give now. */
export function possibleLines(view: RunView, width: number, consequences: Consequences): Line[] {
  const actions = possibleActions(view);
  const title: Line = [strong('NOW POSSIBLE')];
  if (actions.length === 0) {
    const onlyForward = view.pointOfNoReturnPassed && view.endedAt === undefined;
    return onlyForward
      ? [[...title, dim('  nothing; past the point of no return a run only goes forward')]]
      : [];
  }
  if (consequences === 'beside') {
    const column = Math.max(...actions.map(({ command }) => widthOf(command)));
    return [
      title,
      ...actions.map(
        ({ command, consequence }): Line => ['   ', pad(command, column), '  ', dim(consequence)],
      ),
    ];
  }
  const below = (text: string) => (consequences === 'full' ? wrap(text, width - 5) : [text]);
  return [
    title,
    ...actions.flatMap(({ command, consequence }): Line[] => [
      ['   ', strong(command)],
      ...below(consequence).map((text): Line => ['     ', dim(text)]),
    ]),
  ];
}

/** What is awaited, for one line: `gate: point waits for database-lead`. */
export function waitsFor(open: OpenDecision, step: StepView | undefined): string {
  const what = step === undefined ? plain(open.step) : stepName(step);
  const who = whoDecides(open);
  return step?.failure === undefined ? `${what} waits for ${who}` : `${what} failed and waits for ${who}`;
}

/** The roles that are asked; a failure is the commander's. */
export function whoDecides(open: OpenDecision): string {
  return open.roles.length === 0 ? 'the commander' : open.roles.map(plain).join(' or ');
}
