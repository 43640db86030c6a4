/** How a run stands beside its clock: held, overridden, taken over, not told; and what was lost. Pure. */
import { lossesOf, type Outputs } from '../../evidence/outputs.js';
import type { RunView } from '../../model/run.js';
import { bad, dim, good, type Line, type Piece, pad, plain, warn, widthOf, wrap } from './line.js';
import { clock, count, span, utc } from './units.js';

/** Whether all of it is told, or what fits into a line each. */
export type Length = 'full' | 'short';

/** Loud where it is loud: hold, overrides, notices that nobody got; quiet: another server's run. */
export function standingLines(view: RunView, width: number, now: number, length: Length): Line[] {
  return [
    ...holdLines(view, width, now, length),
    ...overrideLines(view, width, now, length),
    ...undeliveredLines(view, now, length),
    ...adoptedLines(view, now),
  ];
}

function holdLines({ hold, endedAt }: RunView, width: number, now: number, length: Length): Line[] {
  if (hold === undefined || endedAt !== undefined) return [];
  const heldFor = clock(now - Date.parse(hold.since));
  const since = `by ${plain(hold.by)} since ${utc(hold.since, now)}`;
  const why = plain(hold.reason);
  if (length === 'short') return [[bad('HELD'), `  ${since}, the clock runs on (${heldFor}): ${why}`]];
  return [
    ...headed(bad('HELD'), `${since}: ${why}`, width),
    ['      ', warn(`the clock runs on (${heldFor})`), '; nothing new begins, what works goes on to its end'],
  ];
}

function overrideLines({ overrides }: RunView, width: number, now: number, length: Length): Line[] {
  return overrides.flatMap(({ on, by, reason, at, without }): Line[] => {
    const text = `${plain(on)} by ${plain(by.join(' and '))} at ${utc(at, now)}, without ${plain(without)}: ${plain(reason)}`;
    return length === 'short' ? [[bad('OVERRIDDEN'), `  ${text}`]] : headed(bad('OVERRIDDEN'), text, width);
  });
}

function undeliveredLines({ undelivered }: RunView, now: number, length: Length): Line[] {
  const newest = undelivered.at(-1);
  if (newest === undefined) return [];
  const shown = length === 'short' ? [newest] : undelivered.slice(-3);
  const more = undelivered.length - shown.length;
  return shown.map(({ kind, receiver, state, at, problem }, index): Line => {
    const others = index === 0 && more > 0 ? `, and ${more} more` : '';
    const what = state === 'given-up' ? 'given up' : 'being tried again';
    const why = problem === undefined ? '' : `: ${plain(problem)}`;
    return [warn('NOT TOLD'), `  ${plain(receiver)} of ${kind} at ${utc(at, now)}, ${what}${others}${why}`];
  });
}

function adoptedLines({ adopted }: RunView, now: number): Line[] {
  if (adopted === undefined) return [];
  const { by, at } = adopted;
  return [[dim('taken over '), `by ${plain(by)} at ${utc(at, now)} from the journal of a lost server`]];
}

function headed(head: Piece, text: string, width: number): Line[] {
  const indent = widthOf(head.text) + 2;
  return wrap(text, width - indent).map(
    (line, index): Line => (index === 0 ? [head, '  ', line] : [' '.repeat(indent), line]),
  );
}

/** RPO of each data class as it was measured, one a line. */
export function lossLines(outputs: Outputs): Line[] {
  const classes = lossesOf(outputs).flatMap(({ output }) => Object.entries(output.classes));
  const column = Math.max(0, ...classes.map(([name]) => widthOf(plain(name))));
  return classes.map(([name, { targetMs, actualMs, lostRecords, method }]): Line => {
    const label = [dim('RPO  '), pad(plain(name), column), '  '];
    if (actualMs === null || lostRecords === null) {
      return [...label, warn('not measured'), ` of ${span(targetMs)}: ${plain(method)}`];
    }
    const lost = `${actualMs === 0 ? 'nothing' : span(actualMs)} of ${span(targetMs)}, `;
    const verdict = actualMs <= targetMs ? good('met') : bad('MISSED');
    return [...label, lost, verdict, lostRecords === 0 ? '' : `, ${count(lostRecords)} lost`];
  });
}

/** Steps whose outcome `lossLines` tells. */
export function lossSteps(outputs: Outputs): readonly string[] {
  return lossesOf(outputs).map(({ step }) => step);
}
