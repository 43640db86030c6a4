/** What is said to people when a gate or a step that failed needs them, and what became of it. Pure. */
import { formatDuration, formatTimeOfDay } from '../../src/model/format.js';
import type { DecisionView, OpenDecision } from '../../src/model/run.js';
import {
  actionsFor,
  type Compose,
  clockFacts,
  command,
  commanders,
  type Draft,
  draft,
  matterOf,
  matters,
  nameOf,
  openAt,
  rolesOf,
  type Subject,
  stepOf,
  watch,
  whoCanDecide,
} from './notice-parts.js';

/** @param step name of the gate's step */
export function gateOpened(step: string): Compose {
  return (of) => {
    const open = openAt(of.view, step);
    const gate = stepOf(of.view, step)?.gate;
    const approvals =
      gate === undefined || gate.approvals < 2 ? '' : ` ${gate.approvals} people have to approve.`;
    const expiry =
      open?.expiresAt === undefined || gate === undefined
        ? ''
        : ` At ${formatTimeOfDay(open.expiresAt)} ${atExpiry[gate.atExpiry](gate.escalateTo)}.`;
    return {
      ...gateDraft(of, step, 'gate-opened'),
      title: `${nameOf(open, step)} waits for ${rolesOf(open)}.`,
      text: `${open?.question ?? ''}${approvals}${expiry}`.trim(),
    };
  };
}

/** @param step name of the gate's step, which was open before: something that it shows has changed */
export function gateReopened(step: string): Compose {
  return (of) => {
    const opened = gateOpened(step)(of);
    return {
      ...opened,
      title: `${nameOf(openAt(of.view, step), step)} is asked anew, of ${rolesOf(openAt(of.view, step))}.`,
      text: `What it shows has changed: what was said before does not count any more. ${opened.text}`.trim(),
    };
  };
}

/**
 * @param step name of the gate's step
 * @param openMs how long it has been open
 */
export function reminder(step: string, openMs: number): Compose {
  return (of) => {
    const open = openAt(of.view, step);
    return {
      ...gateDraft(of, step, 'gate-reminder'),
      title: `${nameOf(open, step)} still waits for ${rolesOf(open)}, for ${formatDuration(openMs)} now.`,
      text: `${open?.question ?? ''}${stillMissing(open)}`,
    };
  };
}

/** @param step name of the gate's step; call it once more roles may decide */
export function escalated(step: string): Compose {
  return (of) => {
    const open = openAt(of.view, step);
    return {
      ...gateDraft(of, step, 'gate-escalated'),
      title: `${nameOf(open, step)} was not decided in time: ${rolesOf(open)} may decide now.`,
      text: `${open?.question ?? ''}${stillMissing(open)}`,
    };
  };
}

/**
 * @param step name of the gate's step, or of the step that had failed; its last decision is told, and whose word is still
 *   missing where it goes on waiting
 */
export function decided(step: string): Compose {
  return (of) => {
    const { view, people } = of;
    const at = stepOf(view, step);
    const last = at?.decisions.at(-1);
    const open = openAt(view, step);
    return {
      ...draft(view, 'decided', matterOf(at, step), 'info'),
      step,
      settles: open === undefined ? [matterOf(at, step)] : [],
      title: `${at?.gate?.gate ?? step}: ${inWords(last)}.`,
      text: `${last?.reason ?? ''}${stillMissing(open)}`.trim(),
      facts: last?.changed === undefined ? [] : [{ label: 'Changed', value: last.changed }],
      actions: actionsFor(view, open),
      to: open === undefined ? commanders(of) : whoCanDecide(people, open.roles),
    };
  };
}

/** @param step that failed for good, and waits for a decision */
export function stepFailed(step: string): Compose {
  return (of) => {
    const { view } = of;
    const at = stepOf(view, step);
    const failure = at?.failure;
    return {
      ...draft(view, 'step-failed', matterOf(at, step), 'critical'),
      step,
      title: `${step} has failed: a decision is needed.`,
      text: [failure?.message ?? '', failure?.next ?? ''].join(' ').trim(),
      facts: [
        ...(failure === undefined
          ? []
          : [
              { label: 'Code', value: failure.code },
              { label: 'Attempts', value: String(failure.attempts) },
            ]),
        ...clockFacts(view),
      ],
      actions: actionsFor(view, openAt(view, step)),
      to: commanders(of),
    };
  };
}

/** Everybody is told: fewer people, or less proof, than the runbook demands. The newest override is told. */
export function override(): Compose {
  return ({ view, people }) => {
    const last = view.overrides.at(-1);
    const on = last?.on ?? '';
    return {
      ...draft(view, 'override', `override.${on}`, 'critical'),
      title: `${on} was overridden by ${last?.by.join(' and ') ?? 'nobody'}.`,
      text: last?.reason ?? '',
      facts: [{ label: 'Gone without', value: last?.without ?? '' }, ...clockFacts(view)],
      actions: [{ label: command(view, 'hold', '--reason WHY'), value: 'nothing new begins' }, watch(view)],
      to: people.map(({ name }) => name),
    };
  };
}

/** A decision came with a proof that was not accepted. */
export interface RefusedProof {
  readonly on: string;
  readonly choice: string;
  readonly by: string;
  readonly why: string;
  /** Address and program, where known. */
  readonly from?: string;
}

export function proofRefused({ on, choice, by, why, from }: RefusedProof): Compose {
  return (of) => ({
    ...draft(of.view, 'proof-refused', matters.proof, 'critical'),
    title: `A decision in the name of ${by} was refused: its proof is not good.`,
    text: `${choice} ${on}: ${why} Was it not ${by}? Then somebody tries to decide in their name.`,
    facts: from === undefined ? [] : [{ label: 'From', value: from }],
    actions: [watch(of.view)],
    to: [
      ...new Set([...of.people.filter(({ name }) => name === by).map(({ name }) => name), ...commanders(of)]),
    ],
  });
}

const atExpiry = {
  remind: () => 'it is asked again',
  escalate: (roles: readonly string[]) => `${roles.join(' or ')} may decide as well`,
  deny: () => 'it is denied by the runbook',
  proceed: () => 'it goes on by itself',
} as const;

function gateDraft(of: Subject, step: string, kind: Draft['kind']) {
  const { view } = of;
  const open = openAt(view, step);
  const missing = open?.missing === undefined ? [] : [{ label: 'Missing', value: open.missing }];
  return {
    ...draft(view, kind, matterOf(stepOf(view, step), step), 'critical'),
    step,
    facts: [...(open?.facts ?? []), ...missing, ...clockFacts(view)],
    actions: actionsFor(view, open),
    to: whoCanDecide(of.people, open?.roles ?? []),
  };
}

function stillMissing(open: OpenDecision | undefined): string {
  return open?.missing === undefined ? '' : ` Missing: ${open.missing}.`;
}

const inPast: Readonly<Record<DecisionView['choice'], string>> = {
  approve: 'approved',
  deny: 'denied',
  withdraw: 'approval withdrawn',
  override: 'override asked for',
  retry: 'retry decided',
  skip: 'skipped',
  hold: 'held',
  resume: 'resumed',
  'hand-over': 'handed over',
  abort: 'aborted',
};

function inWords(decision: DecisionView | undefined): string {
  return decision === undefined ? 'decided' : `${inPast[decision.choice]} by ${decision.by}`;
}
