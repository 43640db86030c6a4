/** A run as lines in a file: one a change, each with its time, nothing that moves a cursor. Pure. */
import type { DecisionChoice } from '../../model/decision.js';
import type { DecisionView, RunView, StepView } from '../../model/run.js';
import type { StepActivity } from '../../temporal/progress.js';
import { answerTo } from './actions.js';
import { provenText } from './decisions.js';
import { cut, pad, plain } from './line.js';
import { workText } from './progress.js';
import { stepName } from './step-lines.js';
import { clock, span, utc } from './units.js';
import { whoDecides } from './who-decides.js';

interface Change {
  /** ISO 8601. */
  readonly at: string;
  readonly subject: string;
  readonly text: string;
}

const SUBJECT_WIDTH = 18;
/** The first facts are those that decide; all of them are in `muster approve`. */
const FACTS_WIDTH = 300;

/**
 * What has changed from one view to the next, oldest first.
 * @param previous absent for the first view: then everything that has happened so far is told
 */
export function changeLines(previous: RunView | undefined, next: RunView): string[] {
  const changes: Change[] = [];
  if (previous === undefined) changes.push(opening(next));
  for (const step of next.steps) {
    changes.push(
      ...stepChanges(
        previous?.steps.find((other) => other.name === step.name),
        step,
        next,
      ),
    );
  }
  for (const warning of next.warnings.slice(previous?.warnings.length ?? 0)) {
    changes.push({ at: warning.at, subject: 'note', text: warning.text });
  }
  if (previous !== undefined && previous.commander !== next.commander) {
    changes.push({ at: next.asOf, subject: 'run', text: `${next.commander} commands from now on` });
  }
  for (const { at, kind, receiver, problem = '' } of newlyUndelivered(previous, next)) {
    changes.push({ at, subject: 'note', text: `not delivered: ${kind} to ${receiver} ${problem}` });
  }
  for (const open of next.openDecisions) {
    const known = previous?.openDecisions.some(
      (other) => other.step === open.step && other.since === open.since,
    );
    if (known !== true) changes.push(asked(next, open.step));
  }
  if (previous?.status !== next.status && next.status === 'undoing') {
    changes.push({ at: next.asOf, subject: 'run', text: 'undoing what it changed, newest first' });
  }
  if (next.endedAt !== undefined && previous?.endedAt === undefined) changes.push(ending(next, next.endedAt));
  return changes.sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).map(changeLine);
}

const ofWholeRun: readonly DecisionChoice[] = ['hold', 'resume', 'hand-over', 'abort'];

function newlyUndelivered(previous: RunView | undefined, next: RunView): RunView['undelivered'] {
  return next.undelivered.filter(
    ({ notice, receiver }) =>
      previous?.undelivered.some((other) => other.notice === notice && other.receiver === receiver) !== true,
  );
}

function changeLine({ at, subject, text }: Change): string {
  return `${utc(at)}  ${pad(plain(subject), SUBJECT_WIDTH)}  ${plain(text)}`.trimEnd();
}

function opening(view: RunView): Change {
  const { clock: c } = view;
  return {
    at: c.startedAt,
    subject: 'run',
    text: `${view.system} ${view.scenario} ${view.mode}, ${view.runId}, by ${view.requestedBy}, commander ${view.commander}; detected ${utc(c.detectedAt)}, ${view.component} RTO ${span(c.targetMs)} until ${utc(c.deadline, Date.parse(c.startedAt))}`,
  };
}

function stepChanges(before: StepView | undefined, step: StepView, view: RunView): Change[] {
  const subject = stepName(step);
  const changes: Change[] = [];
  const said = (at: string, text: string) => changes.push({ at, subject, text });
  for (const decision of step.decisions.slice(before?.decisions.length ?? 0)) {
    const text = decisionText(decision);
    if (ofWholeRun.includes(decision.choice)) changes.push({ at: decision.at, subject: 'run', text });
    else said(decision.at, text);
  }
  if (step.begun > (before?.begun ?? 0) && step.kind !== 'gate') {
    const first = step.begun === 1 && step.startedAt !== undefined;
    said(
      first ? (step.startedAt ?? view.asOf) : view.asOf,
      step.begun === 1 ? 'begins' : `begins again (${step.begun})`,
    );
  }
  if (step.kind === 'gate' && step.status === 'done' && step.begun > (before?.begun ?? 0)) {
    const roles = step.gate?.roles.join(' or ') ?? 'a person';
    said(step.startedAt ?? view.asOf, `waited for ${roles}, ${clock(step.waitingMs)}`);
  }
  if (step.status === before?.status) return changes;
  const time = `${clock(step.workingMs)} of ${clock(step.budgetMs)}`;
  const summary = step.summary === undefined ? '' : `: ${step.summary}`;
  switch (step.status) {
    case 'done':
      if (step.kind !== 'gate') said(step.endedAt ?? view.asOf, `done in ${time}${summary}`);
      break;
    case 'skipped':
      said(step.endedAt ?? view.asOf, `skipped${summary}`);
      break;
    case 'undone':
      said(view.asOf, 'undone');
      break;
    case 'waiting':
      if (step.failure !== undefined)
        said(step.failure.at, `FAILED: ${step.failure.message} Next: ${step.failure.next}`);
      break;
    case 'pending':
      if (before !== undefined) said(view.asOf, 'will be done again');
      break;
    case 'running':
      break;
  }
  return changes;
}

function decisionText({ choice, by, reason, changed, channel, provenBy = [] }: DecisionView): string {
  const why = reason === undefined || reason === '' ? '' : `: ${reason}`;
  const proof = provenBy.length === 0 ? '' : `, proven by ${provenText(provenBy)}`;
  return `${choice} by ${by} (${channel}${proof})${changed === undefined ? '' : `, ${changed}`}${why}`;
}

function asked(view: RunView, stepOf: string): Change {
  const open = view.openDecisions.find((other) => other.step === stepOf);
  const step = view.steps.find((other) => other.name === stepOf);
  if (open === undefined) return { at: view.asOf, subject: stepOf, text: 'waits for a person' };
  const command = answerTo(view, open) ?? '';
  const facts = cut(
    open.facts.map(({ label, value }) => `${label}: ${plain(value)}`).join('; '),
    FACTS_WIDTH,
  );
  return {
    at: open.since,
    subject: step === undefined ? stepOf : stepName(step),
    text: `${step?.failure === undefined ? 'waits' : 'failed and waits'} for ${whoDecides(open, step)}. ${open.question}${facts === '' ? '' : ` (${facts})`} ${command}`,
  };
}

function ending(view: RunView, endedAt: string): Change {
  const { actualMs, targetMs } = view.clock;
  const back = actualMs === undefined ? '' : `, service back after ${clock(actualMs)} of ${span(targetMs)}`;
  const outcome = view.outcome === undefined ? '' : `: ${view.outcome}`;
  return { at: endedAt, subject: 'run', text: `${view.status.toUpperCase()}${back}${outcome}` };
}

interface Told {
  readonly fraction: number;
  readonly atMs: number;
  readonly attempt: number;
}

const EVERY_FRACTION = 0.1;
const EVERY_MS = 60_000;

/** Tells progress of long work now and then: each tenth of the way, each minute, and each new attempt. */
export class ProgressLog {
  private readonly told = new Map<string, Told>();

  lines(activity: Readonly<Record<string, StepActivity>>, now: number): string[] {
    const lines: string[] = [];
    for (const [step, { progress, attempt, lastFailure }] of Object.entries(activity)) {
      const before = this.told.get(step);
      const fraction = progress?.total ? progress.done / progress.total : 0;
      const again = attempt > 1 && attempt !== before?.attempt;
      const further =
        progress !== undefined &&
        (before === undefined ||
          fraction - before.fraction >= EVERY_FRACTION ||
          fraction < before.fraction ||
          now - before.atMs >= EVERY_MS);
      if (!again && !further) continue;
      this.told.set(step, { fraction, atMs: now, attempt });
      const work = { title: '', progress: further ? progress : undefined, attempt, lastFailure, overMs: 0 };
      const text = workText(work, 400);
      lines.push(changeLine({ at: new Date(now).toISOString(), subject: step, text }));
    }
    return lines;
  }
}
