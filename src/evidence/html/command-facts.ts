/** Who commanded and with what right, as the page tells it. */
import type { ProofMethod } from '../../model/decision.js';
import { formatDuration, formatTimeOfDay } from '../../model/format.js';
import type { Approval, Exception, ReportDocument } from '../document.js';

const EXCEPTIONS: Readonly<Record<Exception['kind'], string>> = {
  overridden: 'Overridden',
  undecided: 'Went on without a decision',
  skipped: 'Skipped',
  unproven: 'Identity not proven:',
};

const PROOFS: Readonly<Record<ProofMethod, string>> = {
  totp: 'code of the authenticator',
  ed25519: 'Ed25519 signature',
  ssh: 'SSH signature',
};

/** How a decision was proven, in words; empty where nobody decided. */
export function proofText({ provenBy, channel }: Approval): string {
  if (channel === 'expiry') return '';
  if (provenBy === undefined) return 'proof not written down';
  return provenBy.length === 0
    ? 'no proof asked'
    : `proven by ${provenBy.map((method) => PROOFS[method]).join(' and ')}`;
}

/** Who commanded, when it was handed over, what was held, who took the run over. */
export function commandFacts({ command, holds }: ReportDocument) {
  const { requestedBy, commander, handOvers, adopted } = command;
  const why = (reason: string | undefined) => (reason ? `: ${reason}` : '');
  return [
    { label: 'Begun by', value: requestedBy },
    { label: handOvers.length === 0 ? 'Commander' : 'Commander at the end', value: commander },
    ...handOvers.map(({ at, by, to, reason }) => ({
      label: 'Handed over',
      value: `${moment(at)} by ${by}${to === undefined ? '' : ` to ${to}`}${why(reason)}`,
    })),
    ...holds.map(({ by, reason, since, until, resumedBy }) => ({
      label: 'Held',
      value:
        until === undefined
          ? `from ${moment(since)} until the end, by ${by}: ${reason}`
          : `for ${formatDuration(Date.parse(until) - Date.parse(since))} from ${moment(since)}, by ${by}: ${reason}; resumed by ${resumedBy}`,
    })),
    ...(adopted === undefined
      ? []
      : [
          {
            label: 'Taken over',
            value: `${moment(adopted.at)} by ${adopted.by}, from the journal of a lost server`,
          },
        ]),
  ];
}

export function exceptionFacts({ kind, on, at, text }: Exception) {
  return {
    word: EXCEPTIONS[kind],
    tone: kind === 'unproven' ? 'strong' : 'missed',
    on,
    time: formatTimeOfDay(at),
    text,
  };
}

/** `2026-11-21 03:06:31 UTC` */
export function moment(iso: string): string {
  return `${iso.slice(0, 10)} ${formatTimeOfDay(iso)}`;
}
