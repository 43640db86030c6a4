/** What waits for whom, with all that is needed to decide. */
import type { ProofMethod } from '../../model/decision.js';
import type { OpenDecision, RunView, StepView } from '../../model/run.js';
import { bad, dim, type Line, type Piece, pad, plain, warn, widthOf, wrap } from './line.js';
import { expiryText, stepName } from './step-lines.js';
import { clock, utc } from './units.js';
import { whoDecides } from './who-decides.js';

export interface DecisionOptions {
  readonly width: number;
  readonly now: number;
  /** How many facts are shown; what is left out is said. */
  readonly facts: number;
  /** Whether a long fact takes as many lines as it needs, or is cut. */
  readonly long: 'wrap' | 'cut';
  /** Most lines of what went wrong, and most lines of what to do next. */
  readonly failureLines: number;
}

/** One open decision as a block of lines. */
export function decisionLines(open: OpenDecision, view: RunView, options: DecisionOptions): Line[] {
  const { width, now } = options;
  const step = view.steps.find((other) => other.name === open.step);
  const failure = step?.failure;
  const who = whoDecides(open, step);
  const what = step === undefined ? plain(open.step) : stepName(step);
  const waited = `for ${clock(now - Date.parse(open.since))}`;
  const expiry = open.expiresAt === undefined ? '' : `, ${expiryText(step ?? {}, open.expiresAt, now)}`;
  const tried = failure === undefined || failure.attempts < 2 ? '' : `, tried ${failure.attempts} times`;
  const code = open.secondFactor ? ', a code is asked for' : '';
  const head: Line =
    failure === undefined
      ? [warn(`WAITS FOR ${who}`), `  ${waited}${expiry}${code}`]
      : [bad(`FAILED ${what}`), '  ', warn(`waits for ${who}`), `  ${waited}${tried}`];
  const indented = (text: string, most: number, style: Piece['style'] = 'plain'): Line[] => {
    const lines = wrap(plain(text), width - 3);
    const shown = lines.slice(0, most);
    if (lines.length > most) shown[most - 1] = lines.slice(most - 1).join(' ');
    return shown.map((line) => ['   ', { text: line, style }]);
  };
  return [
    head,
    ...(failure === undefined
      ? [
          ...indented(`${what.replace(':', '')}: ${questionOf(open)}`, 2, 'strong'),
          ...denialOf(open).flatMap((denial) => indented(denial, 2, 'bad')),
          ...wordLines(open, options),
        ]
      : [
          ...indented(failure.message, options.failureLines),
          ...indented(`Next: ${failure.next}`, options.failureLines),
        ]),
    ...factLines(open, view, options),
  ];
}

const DENIED = / (?=Denied by )/;

/** What is asked, without the denial that the run adds to it. */
function questionOf({ question }: OpenDecision): string {
  return question.split(DENIED)[0] ?? question;
}

function denialOf({ question }: OpenDecision): string[] {
  const [, ...denial] = question.split(DENIED);
  return denial.length === 0 ? [] : [denial.join(' ')];
}

/** Whose word stands. */
function wordLines({ approvals }: OpenDecision, { width, now, long }: DecisionOptions): Line[] {
  if (approvals.length === 0) return [];
  const words = approvals.map(({ by, roles, at, provenBy }) => {
    const proof = provenBy.length === 0 ? 'no proof asked' : provenText(provenBy);
    return `${plain(by)} (${plain(roles.join(', '))}; ${proof}) ${utc(at, now)}`;
  });
  const text = words.join(', ');
  const lines = long === 'wrap' ? wrap(text, width - 14) : [text];
  return lines.map((line, index): Line => ['   ', dim(pad(index === 0 ? 'approved' : '', 9)), `  ${line}`]);
}

const PROOFS: Readonly<Record<ProofMethod, string>> = {
  totp: 'code',
  ed25519: 'Ed25519 signature',
  ssh: 'SSH signature',
};

/** `code and SSH signature` */
export function provenText(methods: readonly ProofMethod[]): string {
  return methods.map((method) => PROOFS[method]).join(' and ');
}

function factLines(open: OpenDecision, view: RunView, { width, facts, long }: DecisionOptions): Line[] {
  const shown = open.facts.length <= facts ? open.facts : open.facts.slice(0, Math.max(0, facts - 1));
  const label = Math.min(24, Math.max(0, ...shown.map((fact) => widthOf(plain(fact.label)))));
  const valueLines = (value: string) => (long === 'wrap' ? wrap(value, width - label - 5) : [value]);
  const lines = shown.flatMap((fact): Line[] =>
    valueLines(plain(fact.value)).map((value, index) => [
      '   ',
      dim(pad(index === 0 ? plain(fact.label) : '', label)),
      `  ${value}`,
    ]),
  );
  const left = open.facts.length - shown.length;
  if (left > 0 && facts > 0) lines.push([dim(`   and ${left} more: muster approve ${view.system}`)]);
  return lines;
}

/** What is awaited, for one line: `gate: point waits for database-lead`. */
export function waitsFor(open: OpenDecision, step: StepView | undefined): string {
  const what = step === undefined ? plain(open.step) : stepName(step);
  const who = whoDecides(open, step);
  return step?.failure === undefined ? `${what} waits for ${who}` : `${what} failed and waits for ${who}`;
}
