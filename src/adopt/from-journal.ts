/** Makes of a run's journal what a new server has to know to go on with it. Pure: nothing is asked, nothing is changed. */
import { PermanentError, RefusedError } from '../errors.js';
import type { AdoptableRun, AdoptedStep, Adoption } from '../model/adoption.js';
import type { DecisionView, FailureView, HoldView, OverrideView, RunInput, Warning } from '../model/run.js';
import type { ChainedEntry, JournalBody } from '../store/chain.js';
import { dataOf } from './entry-data.js';

type StepSoFar = { -readonly [Key in keyof AdoptedStep]: AdoptedStep[Key] };

/** What is known of the run after some entries. */
interface SoFar {
  readonly steps: Map<string, StepSoFar>;
  beginning: string[];
  commander: string;
  hold: HoldView | undefined;
  aborted: Adoption['aborted'];
  readonly overrides: OverrideView[];
  readonly warnings: Warning[];
  readonly used: Set<string>;
  clock: { workingMs: number; waitingMs: number; actualMs?: number | undefined; at: string };
}

/**
 * @param entries the standing ones of one run, by index (`standingOf`), verified
 * @throws RefusedError `RunEnded` when there is nothing to go on with; PermanentError `JournalIncomplete` when entries are
 *   missing, `EntryUnusable` when one lacks what is needed
 */
export function adoptableRun<Runbook, Params>(
  entries: readonly ChainedEntry[],
): AdoptableRun<Runbook, Params> {
  const first = entries[0]?.body;
  const last = entries.at(-1);
  if (first?.kind !== 'run-started' || last === undefined) throw incomplete(1);
  const gap = entries.findIndex(({ body }, position) => body.index !== position + 1);
  if (gap >= 0) throw incomplete(gap + 1);
  const ended = entries.find(({ body }) => body.kind === 'run-ended')?.body;
  if (ended !== undefined) throw over(ended);

  const { scenario, input } = dataOf('start', first);
  const state: SoFar = {
    steps: new Map(),
    beginning: [],
    commander: input.commander,
    hold: undefined,
    aborted: undefined,
    overrides: [],
    warnings: [],
    used: new Set(),
    clock: { workingMs: 0, waitingMs: 0, at: first.at },
  };
  for (const { body } of entries) take(state, body);
  const { workingMs, waitingMs, actualMs, at } = state.clock;
  const { adoption: _earlier, ...own } = input as unknown as RunInput<Runbook, Params>;
  return {
    scenario,
    system: first.system,
    input: own,
    adoption: {
      entries: last.body.index,
      head: last.hash,
      startedAt: first.at,
      workingMs,
      waitingMs,
      clockAt: at,
      ...(actualMs === undefined ? {} : { actualMs }),
      commander: state.commander,
      ...(state.hold === undefined ? {} : { hold: state.hold }),
      ...(state.aborted === undefined ? {} : { aborted: state.aborted }),
      overrides: state.overrides,
      steps: Object.fromEntries(state.steps),
      beginning: state.beginning,
      warnings: state.warnings,
      usedProofs: [...state.used],
    },
  };
}

function take(state: SoFar, body: JournalBody): void {
  switch (body.kind) {
    case 'step-intent':
    case 'step-started': {
      const step = timed(state, body);
      step.status = 'pending';
      step.underWay = true;
      delete step.failure;
      if (!state.beginning.includes(nameOf(body))) state.beginning.push(nameOf(body));
      return;
    }
    case 'gate-opened':
      ask(timed(state, body), body.at);
      return;
    case 'step-failed':
      ask(timed(state, body), body.at);
      return;
    case 'step-done':
    case 'step-skipped': {
      const step = timed(state, body);
      step.status = body.kind === 'step-done' ? 'done' : 'skipped';
      settle(step);
      return;
    }
    case 'step-invalidated': {
      const step = stepOf(state, body);
      forget(step);
      step.status = 'pending';
      settle(step);
      return;
    }
    case 'step-undone': {
      const step = stepOf(state, body);
      step.status = 'undone';
      step.note = body.text;
      step.endedAt = body.at;
      settle(step);
      state.beginning = state.beginning.filter((name) => name !== nameOf(body));
      return;
    }
    case 'decision':
      decided(state, body);
      return;
    case 'held':
      state.hold = dataOf('hold', body).hold;
      return;
    case 'resumed':
      state.hold = undefined;
      return;
    case 'handed-over':
      state.commander = dataOf('commander', body).commander;
      return;
    case 'warning':
      warned(state, body);
      return;
    default:
      // run-started, refused, notice, adopted, run-ended: nothing that a new server has to know.
      return;
  }
}

/** A step with what the entry says of its time, its output, its failure; and the run's clock. */
function timed(state: SoFar, body: JournalBody): StepSoFar {
  const { step: record, clock, output, failure, note } = dataOf('step', body);
  const step = stepOf(state, body);
  forget(step);
  delete step.startedAt;
  delete step.endedAt;
  Object.assign(step, record);
  if (output !== undefined) step.output = output;
  if (failure !== undefined) step.failure = failure as FailureView;
  if (note !== undefined) step.note = note;
  state.clock = { ...clock, at: body.at };
  return step;
}

/** People are awaited, and no word given before counts. */
function ask(step: StepSoFar, at: string): void {
  step.status = 'waiting';
  step.underWay = false;
  step.openedAt = at;
  step.approvals = [];
  step.overriding = [];
  delete step.denial;
}

function decided(state: SoFar, body: JournalBody): void {
  const { view, approvals, overriding, denial, used } = dataOf('decision', body);
  for (const proof of used) state.used.add(proof);
  const step = stepOf(state, body);
  step.decisions = [...step.decisions, view as DecisionView];
  if (view.choice === 'abort') state.aborted = { by: view.by, reason: view.reason ?? '' };
  if (step.status !== 'waiting') return;
  if (view.choice === 'approve' && view.changed !== undefined) step.openedAt = body.at;
  step.approvals = approvals;
  step.overriding = overriding;
  if (denial === undefined) delete step.denial;
  else step.denial = denial;
  // Put back at once: it begins in the same breath, and the entry that says so may not have come.
  if (view.choice === 'retry' && step.failure !== undefined) {
    delete step.failure;
    step.status = 'pending';
    settle(step);
  }
}

function warned(state: SoFar, body: JournalBody): void {
  if (body.data === undefined) {
    state.warnings.push({ at: body.at, text: body.text });
    return;
  }
  const { override, aborted } = dataOf('warning', body);
  if (aborted !== undefined) state.aborted = aborted;
  if (override === undefined) return;
  state.overrides.push(override);
  state.warnings.push({ at: body.at, text: body.text });
}

function settle(step: StepSoFar): void {
  step.underWay = false;
  step.approvals = [];
  step.overriding = [];
  delete step.denial;
  delete step.openedAt;
}

function forget(step: StepSoFar): void {
  delete step.output;
  delete step.failure;
  delete step.note;
}

function stepOf(state: SoFar, body: JournalBody): StepSoFar {
  const name = nameOf(body);
  const known = state.steps.get(name);
  if (known !== undefined) return known;
  const step: StepSoFar = {
    status: 'pending',
    underWay: false,
    begun: 0,
    workingMs: 0,
    waitingMs: 0,
    decisions: [],
    approvals: [],
    overriding: [],
  };
  state.steps.set(name, step);
  return step;
}

function nameOf(body: JournalBody): string {
  if (body.step !== undefined) return body.step;
  throw new PermanentError('EntryUnusable', `Entry ${body.index} (${body.kind}) names no step.`, {
    next: 'Recover with a new run: muster recover.',
  });
}

function incomplete(index: number): PermanentError {
  return new PermanentError('JournalIncomplete', `Entry ${index} of the journal is not there.`, {
    why: 'A run is taken over only from a journal that is whole up to its end.',
    next: 'Look with muster journal verify where the entry may be; or recover with a new run.',
  });
}

function over(ended: JournalBody): RefusedError {
  return new RefusedError('RunEnded', `Run ${ended.runId} ended at ${ended.at}: ${ended.text}.`, {
    next: 'There is nothing to go on with. See muster history.',
  });
}
