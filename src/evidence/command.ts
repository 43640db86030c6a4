/** Who commanded, what was held, and everything that was out of the ordinary. Pure. */
import { type DecisionChoice, WHOLE_RUN } from '../model/decision.js';
import type { DecisionView, RunView } from '../model/run.js';
import type { Command, Exception, Hold } from './document.js';

const ofWholeRun: readonly DecisionChoice[] = ['hold', 'resume', 'hand-over', 'abort'];

/** What a decision was about: the step at which it was written down, or the whole run. */
export function subjectOf(step: string, choice: DecisionChoice): string {
  return ofWholeRun.includes(choice) ? WHOLE_RUN : step;
}

export function commandOf(view: RunView): Command {
  const handOvers = decisionsOf(view).filter(({ choice }) => choice === 'hand-over');
  return {
    requestedBy: view.requestedBy,
    commander: view.commander,
    handOvers: handOvers.map(({ at, by, to, reason }, index) => ({
      at,
      by,
      // Older runs did not write down to whom: of the last one it is known all the same.
      ...(to === undefined ? (index === handOvers.length - 1 ? { to: view.commander } : {}) : { to }),
      ...(reason === undefined ? {} : { reason }),
    })),
    ...(view.adopted === undefined ? {} : { adopted: view.adopted }),
  };
}

/** Each hold until it was resumed; without an end where the run ended held. */
export function holdsOf(view: RunView): Hold[] {
  const holds: Hold[] = [];
  for (const { choice, by, at, reason = '' } of decisionsOf(view)) {
    if (choice === 'hold') holds.push({ by, reason, since: at });
    const last = holds.at(-1);
    if (choice === 'resume' && last !== undefined && last.until === undefined) {
      holds[holds.length - 1] = { ...last, until: at, resumedBy: by };
    }
  }
  return holds;
}

/** What a reader must know before any figure: fewer people, no decision, no step, no proof. */
export function exceptionsOf(view: RunView): Exception[] {
  return [...overridden(view), ...undecided(view), ...skipped(view), ...unproven(view)];
}

function overridden({ overrides }: RunView): Exception[] {
  return overrides.map(({ on, by, reason, at, without }) => ({
    kind: 'overridden',
    on,
    at,
    text: `by ${by.join(' and ')}, without ${without}: ${reason}`,
  }));
}

/** Gates that went on because the runbook says so when nobody decides. */
function undecided(view: RunView): Exception[] {
  return view.steps.flatMap(({ name, decisions }) =>
    decisions
      .filter(({ choice, channel }) => channel === 'expiry' && choice === 'approve')
      .map(
        ({ at, reason = 'nobody decided' }): Exception => ({ kind: 'undecided', on: name, at, text: reason }),
      ),
  );
}

function skipped(view: RunView): Exception[] {
  return view.steps.flatMap(({ name, title, decisions }) =>
    decisions
      .filter(({ choice }) => choice === 'skip')
      .map(
        ({ at, by, reason = '' }): Exception => ({
          kind: 'skipped',
          on: name,
          at,
          text: `by ${by}: ${reason}. It was to: ${title}`,
        }),
      ),
  );
}

/** Words that counted although nothing proves whose they were: the roster asks for no proof. One a person. */
function unproven(view: RunView): Exception[] {
  const words = new Map<string, { readonly at: string; readonly what: string[] }>();
  for (const { by, choice, on, at, provenBy } of decisionsOf(view)) {
    if (provenBy?.length !== 0) continue;
    const said = words.get(by) ?? { at, what: [] };
    said.what.push(`${choice} ${on}`);
    words.set(by, said);
  }
  return [...words].map(([by, { at, what }]) => ({
    kind: 'unproven',
    on: by,
    at,
    text: `the roster asks for no proof: ${[...new Set(what)].join(', ')}`,
  }));
}

/** All decisions with what they were about, in the order in which they were taken. */
function decisionsOf(view: RunView): (DecisionView & { readonly on: string })[] {
  return view.steps
    .flatMap((step) =>
      step.decisions.map((decision) => ({ ...decision, on: subjectOf(step.name, decision.choice) })),
    )
    .sort((one, other) => one.at.localeCompare(other.at));
}
