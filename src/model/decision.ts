/** What people send to a run, how they prove that it was them, and what the run answers. Plain data only. */
import { canonicalJson } from './canonical-json.js';

export const decisionChoices = [
  'approve',
  'deny',
  'withdraw',
  'override',
  'retry',
  'skip',
  'hold',
  'resume',
  'hand-over',
  'abort',
] as const;

/**
 * `withdraw` takes back an own approval or denial while the gate is open. `override` opens a gate with fewer people than it
 * demands, or goes on without the proof of a fence whose primary cannot be reached. `hold`, `resume`, `hand-over` and
 * `abort` are about the whole run.
 */
export type DecisionChoice = (typeof decisionChoices)[number];

/** `on` of a decision that is about the whole run. */
export const WHOLE_RUN = 'run';

/** How somebody proves who they are. Which of them is asked for stands in the roster and at the gate. */
export interface Proof {
  /** When the statement was made, ISO 8601; an old one is refused. */
  readonly at: string;
  /** The digits that the authenticator shows (RFC 6238). Good once. */
  readonly totp?: string;
  /** Over `statementOf`: Ed25519 in Base64, or an armoured SSH signature (namespace `muster`). */
  readonly signature?: string;
}

/** Where a decision came from, as far as the sender says. */
export interface Origin {
  readonly address?: string;
  /** Program and system, for instance `muster 0.1.0 on linux`. */
  readonly agent?: string;
}

/** The argument of the update and of the signal `decide`. */
export interface Decision {
  /** Gate name (`point`), step name (`restore`), or `run`. */
  readonly on: string;
  readonly choice: DecisionChoice;
  /** Name of a person of the runbook's roster. */
  readonly by: string;
  readonly reason?: string;
  /** With `approve` or `retry`: inputs that are replaced, by name, for instance `{"point": "2026-03-01T02:59:39Z"}`. */
  readonly change?: Readonly<Record<string, string>>;
  /** With `hand-over`: who commands from then on. */
  readonly to?: string;
  /** The plan that the sender has seen; refused when the run follows another. */
  readonly planHash?: string;
  readonly proof?: Proof;
  readonly origin?: Origin;
}

/** What the update `decide` answers. */
export interface DecisionAnswer {
  readonly accepted: true;
  readonly text: string;
}

/** What a signature is made over: it fits one run, one plan, one opening of one gate, one choice. */
export interface Statement {
  readonly runId: string;
  readonly planHash: string;
  /** `since` of the open decision; empty for what is about the whole run. */
  readonly opening: string;
  readonly decision: Omit<Decision, 'proof' | 'origin' | 'planHash'>;
  /** `at` of the proof. */
  readonly at: string;
}

/** The very text that is signed: canonical JSON (RFC 8785), so that it can be made and checked without Muster. */
export function statementOf({ runId, planHash, opening, decision, at }: Statement): string {
  const { on, choice, by, reason, change, to } = decision;
  return canonicalJson({
    muster: 'decision',
    version: 1,
    runId,
    planHash,
    opening,
    on,
    choice,
    by,
    at,
    ...(reason === undefined ? {} : { reason }),
    ...(change === undefined ? {} : { change }),
    ...(to === undefined ? {} : { to }),
  });
}

export type ProofMethod = 'totp' | 'ed25519' | 'ssh';

/** Somebody's word at a gate that stands: it counts until it is withdrawn, or what was shown changes. */
export interface Approval {
  readonly by: string;
  readonly roles: readonly string[];
  readonly at: string;
  /** Empty: the roster asks for no proof of this person. */
  readonly provenBy: readonly ProofMethod[];
}
