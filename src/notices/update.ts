/**
 * What people outside are told of a run: what is affected, since when, what is being done, when it is expected back, when
 * they hear again. In plain words: no step, no host, no commit of anybody, and nothing that is not known.
 */
import { Eta } from 'eta';
import type { Forecast } from '../../workflows/engine/forecast.js';
import type { Notice } from '../model/notice.js';
import type { RunView } from '../model/run.js';
import { doing } from './plain-words.js';
import { updateTemplate } from './update-template.js';

export interface StakeholderUpdate {
  readonly system: string;
  readonly subject: string;
  /** `down`: not back yet; `back`: validated; `unresolved`: the run ended without the service back. */
  readonly state: 'down' | 'back' | 'unresolved';
  readonly exercise: boolean;
  /** Parts of the service that are not back. */
  readonly affected: readonly string[];
  /** ISO 8601 UTC, as all times here. */
  readonly since: string;
  readonly backAt?: string;
  /** Sentences. */
  readonly doing: readonly string[];
  readonly expected: Expected;
  readonly at: string;
  /** When the next update comes at the latest. */
  readonly nextAt?: string;
  /** The whole text, ready to send. */
  readonly text: string;
}

export interface Expected {
  /** `estimate`: what past recoveries took; `bound`: how long it may take at most if all goes as planned. */
  readonly kind: 'estimate' | 'bound' | 'unknown' | 'none';
  /** Absent where it cannot be foretold. */
  readonly by?: string;
}

/** When this update is made, and when the next one comes. */
export interface UpdateTimes {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds from now, for instance the interval that a communication plan fixes; left out: none is promised. */
  readonly nextInMs?: number;
}

const eta = new Eta({ autoEscape: false });
const ROUND_MS = 5 * 60_000;

/** Pure. @param ahead the forecast of the same view at the same moment */
export function stakeholderUpdate(view: RunView, ahead: Forecast, times: UpdateTimes): StakeholderUpdate {
  const { now, nextInMs } = times;
  const { clock } = view;
  const backAt =
    clock.actualMs === undefined ? undefined : iso(Date.parse(clock.detectedAt) + clock.actualMs);
  const ended = view.endedAt !== undefined;
  const state = backAt !== undefined ? 'back' : ended ? 'unresolved' : 'down';
  const expected = expectation(view, ahead, state);
  const facts = {
    system: view.system,
    subject: `${view.systemTitle}: ${headline[state]}`,
    state,
    exercise: view.mode === 'drill',
    affected: view.components
      .filter(({ actualMs }) => actualMs === undefined)
      .map(({ name }) => name.replaceAll('-', ' ')),
    since: clock.detectedAt,
    ...(backAt === undefined ? {} : { backAt }),
    doing: doing(view),
    expected,
    at: iso(now),
    ...(nextInMs === undefined || ended ? {} : { nextAt: iso(now + nextInMs) }),
  } as const;
  const text = eta.renderString(updateTemplate, {
    ...facts,
    title: view.systemTitle,
    said: (time: string) => said(time, now),
  });
  return { ...facts, text: `${text.replace(/\n{3,}/g, '\n\n').trim()}\n` };
}

/** The update as a notice, so that channels can take it. */
export function updateNotice(view: RunView, update: StakeholderUpdate): Notice {
  const { runId, system, systemTitle, scenario, mode } = view;
  return {
    id: `${runId}-u${Date.parse(update.at)}`,
    kind: 'update',
    severity: 'info',
    at: update.at,
    runId,
    system,
    systemTitle,
    scenario,
    mode,
    matter: 'update',
    settles: [],
    title: update.subject,
    text: update.text.trim(),
    facts: [],
    actions: [],
    to: [],
  };
}

const headline = {
  down: 'service disruption',
  back: 'service is back',
  unresolved: 'service disruption goes on',
} as const;

// People outside plan with it: the later of the two times, rounded up, and none where somebody has to find a way first.
function expectation(view: RunView, ahead: Forecast, state: StakeholderUpdate['state']): Expected {
  if (state === 'back') return { kind: 'none' };
  const stuck = view.steps.some((step) => step.status === 'waiting' && step.failure !== undefined);
  if (state === 'unresolved' || view.status === 'undoing' || view.hold !== undefined || stuck) {
    return { kind: 'unknown' };
  }
  const by = iso(Math.ceil(ahead.worstDoneAt / ROUND_MS) * ROUND_MS);
  return { kind: ahead.byBudget.length > 0 ? 'bound' : 'estimate', by };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** `03:40 UTC`, with the date where it is another day. */
function said(time: string, now: number): string {
  const clock = `${time.slice(11, 16)} UTC`;
  return time.slice(0, 10) === iso(now).slice(0, 10) ? clock : `${time.slice(0, 10)} ${clock}`;
}
