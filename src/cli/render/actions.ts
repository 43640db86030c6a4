/** What a person can do to a run now, with the exact command. Pure. */
import { type DecisionChoice, WHOLE_RUN } from '../../model/decision.js';
import type { OpenDecision, RunView } from '../../model/run.js';
import { dim, type Line, pad, plain, strong, widthOf, wrap } from './line.js';

export interface PossibleAction {
  /** Absent for what is no decision: the report. */
  readonly choice?: DecisionChoice;
  /** Gate or failed step, or `run`. */
  readonly on: string;
  readonly command: string;
  readonly consequence: string;
}

const needsReason: readonly DecisionChoice[] = ['deny', 'override', 'skip', 'hold', 'abort'];

/** Everything that can be decided now: what waits first, then what is about the whole run, then the report. */
export function possibleActions(view: RunView): PossibleAction[] {
  return [
    ...view.openDecisions.flatMap((open) =>
      open.choices
        .filter(({ choice }) => choice !== 'abort')
        .map(({ choice, consequence }) => actionOn(view, choice, consequence, open)),
    ),
    ...view.steering.map(({ choice, consequence }) => actionOn(view, choice, consequence)),
    ...(view.endedAt === undefined
      ? []
      : [
          {
            on: WHOLE_RUN,
            command: `muster report ${view.runId}`,
            consequence: 'the signed report: what happened, what was lost, who decided',
          },
        ]),
  ];
}

function actionOn(
  view: RunView,
  choice: DecisionChoice,
  consequence: string,
  open?: OpenDecision,
): PossibleAction {
  const on = open === undefined ? WHOLE_RUN : (open.gate ?? open.step);
  const words = [
    `muster ${choice} ${view.system}`,
    ...(open === undefined ? [] : [on]),
    ...(choice === 'hand-over' ? ['--to NAME'] : []),
    '--by NAME',
    ...(needsReason.includes(choice) ? ['--reason WHY'] : []),
    ...(choice === 'approve' || choice === 'retry' ? changeWords(open) : []),
    ...(view.mode === 'drill' ? ['--mode drill'] : []),
  ];
  return { choice, on, command: words.join(' '), consequence: plain(consequence) };
}

const VALUES: Readonly<Record<string, string>> = { point: '[--point TIME]', target: '[--target SITE]' };

function changeWords(open: OpenDecision | undefined): string[] {
  return Object.keys(open?.changes ?? {}).map((name) => VALUES[name] ?? `[--change ${plain(name)}=VALUE]`);
}

/** The first command with which what waits there can be answered. */
export function answerTo(view: RunView, open: OpenDecision): string | undefined {
  return possibleActions(view).find(({ on }) => on === (open.gate ?? open.step))?.command;
}

/**
 * What each command does: as many lines as it takes; one line below the command; the same of the main commands, the others by
 * name; or what is left of the command's line.
 */
export type Consequences = 'full' | 'below' | 'main' | 'beside';

/** Said by name only where there is no room: `muster decide` offers them all the same. */
const besides: readonly (DecisionChoice | undefined)[] = ['withdraw', 'hold', 'hand-over'];

/** The commands that a person can give now. */
export function possibleLines(view: RunView, width: number, consequences: Consequences): Line[] {
  const actions = possibleActions(view);
  const title: Line = [strong('NOW POSSIBLE')];
  if (actions.length === 0) {
    return view.pointOfNoReturnPassed && view.endedAt === undefined
      ? [[...title, dim('  nothing; past the point of no return a run only goes forward')]]
      : [];
  }
  const shown = consequences === 'full' || consequences === 'below' ? actions : summedUp(view, actions);
  if (consequences === 'beside') return [title, ...besideLines(shown)];
  const below = (text: string) => (consequences === 'full' ? wrap(text, width - 5) : [text]);
  return [
    title,
    ...shown.flatMap(({ command, consequence }): Line[] => [
      ['   ', strong(command)],
      ...below(consequence).map((text): Line => ['     ', dim(text)]),
    ]),
  ];
}

type Row = Pick<PossibleAction, 'command' | 'consequence'>;

function summedUp(view: RunView, actions: readonly PossibleAction[]): readonly Row[] {
  const shown = actions.filter(({ choice }) => !besides.includes(choice));
  const others = actions.filter(({ choice }) => besides.includes(choice));
  if (others.length === 0) return shown;
  const names = [...new Set(others.map(({ choice }) => choice))].join(', ');
  const command = `muster decide ${view.system}${view.mode === 'drill' ? ' --mode drill' : ''}`;
  return [...shown, { command, consequence: `asks; also for ${names}` }];
}

function besideLines(rows: readonly Row[]): Line[] {
  const column = Math.max(...rows.map(({ command }) => widthOf(command)));
  return rows.map(({ command, consequence }): Line => ['   ', pad(command, column), '  ', dim(consequence)]);
}
