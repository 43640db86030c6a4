/** What people are told about a run without watching it. Plain data only. */
import type { Channel } from '../runbook/schema.js';
import type { Fact, Mode } from './run.js';

export const noticeKinds = [
  'started',
  'gate-opened',
  'gate-reminder',
  'gate-escalated',
  /** A gate, or a step that had failed, was decided. */
  'decided',
  'forecast-breach',
  'budget',
  'step-failed',
  'held',
  'resumed',
  'handed-over',
  'override',
  'proof-refused',
  'pre-empted',
  'adopted',
  'ended',
  /** Somebody has to write to people outside. */
  'update-due',
  /** Written for people outside, and sent by a person. */
  'update',
] as const;

/** `test` is what `muster notify test` sends: it reaches every channel. */
export type NoticeKind = (typeof noticeKinds)[number] | 'test';

export interface Notice {
  /** Run and number: a receiver that gets it twice knows it. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly at: string;
  readonly runId: string;
  readonly system: string;
  readonly systemTitle: string;
  readonly scenario: string;
  readonly mode: Mode;
  readonly step?: string;
  /** What it is about, within the run: the same for notices that follow each other, for instance `gate.point`. */
  readonly matter: string;
  /** Matters that are over with this notice. */
  readonly settles: readonly string[];
  /** One line. */
  readonly title: string;
  readonly text: string;
  readonly facts: readonly Fact[];
  /** Commands, with what each does: what the receiver can do now. */
  readonly actions: readonly Fact[];
  /** People of the roster whom it is for, in the order of the contact chain; empty: the channels only. */
  readonly to: readonly string[];
}

/** How a notice stands at one receiver, newest word. */
export interface Delivery {
  readonly notice: string;
  readonly kind: NoticeKind;
  /** Channel of the runbook, and the contact where the channel reaches people one by one. */
  readonly receiver: string;
  readonly state: 'waiting' | 'delivered' | 'given-up';
  readonly at: string;
  /** Why it is not delivered, while it is not. */
  readonly problem?: string;
}

/** One channel of the runbook, with the contacts that it reaches people by. */
export interface Receiver {
  readonly name: string;
  readonly channel: Channel;
  /** Contacts of whom the notice is for, as the roster has them, for instance `mailto:lead@example.com`. */
  readonly contacts: readonly string[];
}
