/** What all notices are made of: whom they are for, how pressing they are, what can be done now. Pure. */
import { formatDuration, formatTimeOfDay } from '../../src/model/format.js';
import type { Notice } from '../../src/model/notice.js';
import type { Fact, OpenDecision, RunView, StepView } from '../../src/model/run.js';
import type { Person } from '../../src/runbook/schema.js';

/** What a notice is composed from. */
export interface Subject {
  readonly view: RunView;
  /** The roster, in the order of its contact chain. */
  readonly people: readonly Person[];
}

/** A notice before it has a number and says which run it is of. */
export type Draft = Omit<Notice, 'id' | 'at' | 'runId' | 'system' | 'systemTitle' | 'scenario' | 'mode'>;

export type Compose = (of: Subject) => Draft;

export const COMMANDER_ROLE = 'incident-commander';

/** What notices are about, where it is neither a gate, nor a step, nor an override. */
export const matters = { run: 'run', abort: 'abort', hold: 'hold', time: 'time', proof: 'proof' } as const;

export function draft(view: RunView, kind: Draft['kind'], matter: string, severity: Draft['severity']) {
  // A drill wakes nobody as the real thing does.
  const milder = severity === 'critical' ? 'warning' : 'info';
  return { kind, matter, severity: view.mode === 'drill' ? milder : severity, settles: [] } as const;
}

export function nameOf(open: OpenDecision | undefined, step: string): string {
  return open?.gate ?? step;
}

export function rolesOf(open: OpenDecision | undefined): string {
  return open === undefined || open.roles.length === 0 ? 'a decision' : open.roles.join(' or ');
}

export function matterOf(step: StepView | undefined, name: string): string {
  return step?.gate === undefined ? `step.${name}` : `gate.${step.gate.gate}`;
}

/** In the order of the roster, which is the contact chain. */
export function whoCanDecide(people: readonly Person[], roles: readonly string[]): string[] {
  return people.filter((person) => person.roles.some((role) => roles.includes(role))).map(({ name }) => name);
}

export function commanders({ view, people }: Subject): string[] {
  return people
    .filter(({ name, roles }) => name === view.commander || roles.includes(COMMANDER_ROLE))
    .map(({ name }) => name);
}

/** Whoever commands, and whoever a gate of this run may ask. */
export function whoMayBeAsked({ view, people }: Subject): string[] {
  const roles = view.steps.flatMap((step) => [...(step.gate?.roles ?? []), ...(step.gate?.escalateTo ?? [])]);
  const asked = new Set([...commanders({ view, people }), ...whoCanDecide(people, roles)]);
  return people.map(({ name }) => name).filter((name) => asked.has(name));
}

export function openAt(view: RunView, step: string): OpenDecision | undefined {
  return view.openDecisions.find((open) => open.step === step);
}

export function stepOf(view: RunView, name: string): StepView | undefined {
  return view.steps.find((step) => step.name === name);
}

/** What can be decided, with the command that does it. */
export function actionsFor(view: RunView, open: OpenDecision | undefined): Fact[] {
  const on = open?.gate ?? open?.step ?? '';
  const withReason = ['deny', 'override', 'skip', 'abort'];
  const decisions = (open?.choices ?? [])
    // Taking back is for who has decided already.
    .filter(({ choice }) => choice !== 'withdraw')
    .map(({ choice, consequence }) => ({
      label: command(
        view,
        choice,
        [...(choice === 'abort' ? [] : [on]), ...(withReason.includes(choice) ? ['--reason WHY'] : [])].join(
          ' ',
        ),
      ),
      value: consequence,
    }));
  return [...decisions, watch(view)];
}

export function watch(view: RunView): Fact {
  return { label: command(view, 'watch'), value: 'everything about the run, as it happens' };
}

export function command(view: Pick<RunView, 'system' | 'mode'>, verb: string, rest = ''): string {
  return ['muster', verb, view.system, rest, view.mode === 'drill' ? '--mode drill' : '']
    .filter((part) => part !== '')
    .join(' ');
}

export function clockFacts(view: RunView): Fact[] {
  const { detectedAt, deadline, targetMs, actualMs } = view.clock;
  if (actualMs !== undefined) return [];
  const used = Math.max(0, Date.parse(view.asOf) - Date.parse(detectedAt));
  return [
    {
      label: 'RTO',
      value: `${formatDuration(used)} of ${formatDuration(targetMs)} used; until ${formatTimeOfDay(deadline)}`,
    },
  ];
}
