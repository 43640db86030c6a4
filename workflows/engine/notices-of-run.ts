/** What is said to people of the run as a whole: that it began, stands still, changes hands, is over. Pure. */
import { formatDuration, formatTimeOfDay } from '../../src/model/format.js';
import type { Fact, RunView } from '../../src/model/run.js';
import {
  type Compose,
  clockFacts,
  command,
  commanders,
  draft,
  matterOf,
  matters,
  nameOf,
  rolesOf,
  watch,
  whoMayBeAsked,
} from './notice-parts.js';

export function started(): Compose {
  return ({ view, people }) => ({
    ...draft(view, 'started', matters.run, 'warning'),
    title: `${view.scenario} recovery has begun.`,
    text: `${view.requestedBy} began it; ${view.commander} commands.`,
    facts: [
      { label: 'Detected', value: formatTimeOfDay(view.clock.detectedAt) },
      ...clockFacts(view),
      { label: 'Plan', value: view.planHash.slice(0, 12) },
    ],
    actions: [watch(view)],
    to: whoMayBeAsked({ view, people }),
  });
}

/**
 * A budget is used up.
 * @param text for instance `restore: 100 % of 30 min used`
 */
export function budgetUsed(text: string, step?: string): Compose {
  return (of) => ({
    ...draft(of.view, 'budget', matters.time, 'warning'),
    ...(step === undefined ? {} : { step }),
    title: `${text}.`,
    text: 'The work goes on; nothing is cancelled.',
    facts: clockFacts(of.view),
    actions: [watch(of.view)],
    to: commanders(of),
  });
}

export function held(): Compose {
  return (of) => {
    const { view } = of;
    const resume = view.steering.find(({ choice }) => choice === 'resume');
    return {
      ...draft(view, 'held', matters.hold, 'warning'),
      title: `The run is held by ${view.hold?.by ?? 'nobody'}.`,
      text: `${view.hold?.reason ?? ''} Nothing new begins, and the clock runs on.`.trim(),
      facts: clockFacts(view),
      actions: [
        { label: command(view, 'resume'), value: resume?.consequence ?? 'what is ready begins' },
        watch(view),
      ],
      to: commanders(of),
    };
  };
}

export function resumed(by: string): Compose {
  return (of) => ({
    ...draft(of.view, 'resumed', matters.hold, 'info'),
    settles: [matters.hold],
    title: `The run goes on: resumed by ${by}.`,
    text: '',
    facts: clockFacts(of.view),
    actions: [watch(of.view)],
    to: commanders(of),
  });
}

/** What was begun is being undone; `ended` follows once that is done. */
export function aborting(by: string, reason: string): Compose {
  return (of) => ({
    ...draft(of.view, 'decided', matters.abort, 'critical'),
    title: `The run is being aborted by ${by}.`,
    text: `${reason} What this run changed is being undone.`.trim(),
    facts: clockFacts(of.view),
    actions: [watch(of.view)],
    to: whoMayBeAsked(of),
  });
}

/** @param from who commanded until now */
export function handedOver(from: string): Compose {
  return (of) => ({
    ...draft(of.view, 'handed-over', matters.run, 'warning'),
    title: `${of.view.commander} commands now.`,
    text: `${from} handed the run over.`,
    facts: [...clockFacts(of.view), ...waitingFacts(of.view)],
    actions: [watch(of.view)],
    to: [...new Set([of.view.commander, from, ...commanders(of)])],
  });
}

/** To be told by the drill that gives way. @param by id of the real run */
export function preEmpted(by: string): Compose {
  return (of) => ({
    ...draft(of.view, 'pre-empted', matters.run, 'warning'),
    title: `The drill gives way to the real run ${by}.`,
    text: 'What the drill made is undone; its results do not count.',
    facts: [],
    actions: [watch(of.view)],
    to: commanders(of),
  });
}

export function adopted(): Compose {
  return (of) => ({
    ...draft(of.view, 'adopted', matters.run, 'warning'),
    title: `The run goes on from its journal: adopted by ${of.view.adopted?.by ?? 'nobody'}.`,
    text: 'Its Temporal server was lost. What was done is not done again, approvals stand, the clock goes on.',
    facts: [...clockFacts(of.view), ...waitingFacts(of.view)],
    actions: [watch(of.view)],
    to: whoMayBeAsked(of),
  });
}

/** To be told once the run's status is final. */
export function ended(): Compose {
  return (of) => {
    const { view } = of;
    const { actualMs, targetMs } = view.clock;
    const good = view.status === 'recovered';
    const rto =
      actualMs === undefined
        ? 'The service is not back by this run.'
        : `The service was back after ${formatDuration(actualMs)}: RTO of ${formatDuration(targetMs)} ${actualMs <= targetMs ? 'met' : 'missed'}.`;
    return {
      ...draft(view, 'ended', good ? matters.run : 'end', good ? 'info' : 'critical'),
      settles: mattersOf(view),
      title: `${view.scenario} recovery: ${view.status}.`,
      text: `${view.outcome === undefined ? '' : `${view.outcome} `}${rto}`,
      facts: view.steps
        .filter(
          (step) => step.kind === 'promotion' || step.restores.length > 0 || step.name === 'measure-loss',
        )
        .flatMap((step) => (step.summary === undefined ? [] : [{ label: step.name, value: step.summary }])),
      actions: [{ label: `muster report ${view.runId}`, value: 'the signed report' }],
      to: whoMayBeAsked(of),
    };
  };
}

/** Everything that a run may have told of and that is over with it. */
function mattersOf(view: RunView): string[] {
  const steps = view.steps.filter(
    (step) => step.begun > 0 && (step.gate !== undefined || step.failure !== undefined),
  );
  const overrides = view.overrides.map(({ on }) => `override.${on}`);
  return [
    ...new Set([
      matters.run,
      matters.abort,
      matters.hold,
      matters.time,
      matters.proof,
      ...steps.map((step) => matterOf(step, step.name)),
      ...overrides,
    ]),
  ];
}

function waitingFacts(view: RunView): Fact[] {
  return view.openDecisions.map((open) => ({
    label: 'Waits',
    value: `${nameOf(open, open.step)}, for ${rolesOf(open)}`,
  }));
}
