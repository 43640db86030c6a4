import { PermanentError } from '../../src/errors.js';

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?\s*(Z|[+-]\d\d(?::?\d\d)?)$/;

/**
 * A moment in UTC with microseconds, as PostgreSQL counts them: `2026-11-21T02:59:39.871234Z`. Moments in this form compare
 * as text.
 *
 * @param text ISO 8601 with a zone; a Date would drop the microseconds
 * @throws PermanentError `BadMoment`
 */
export function toMoment(text: string): string {
  const [, date, time, fraction = '', zone = ''] = ISO.exec(text.trim()) ?? [];
  const offset = zone.length === 3 ? `${zone}:00` : zone.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2');
  const seconds = Date.parse(`${date}T${time}${offset}`);
  if (Number.isFinite(seconds)) {
    return `${new Date(seconds).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0')}Z`;
  }
  throw new PermanentError('BadMoment', `"${text}" is not a moment.`, {
    next: 'Give date, time and zone, for instance 2026-11-21T02:59:39.871Z or 2026-11-21 03:59:39+01.',
  });
}

/** Unix seconds, as pgBackRest tells times, as a moment. */
export function momentOf(unixSeconds: number): string {
  return toMoment(new Date(unixSeconds * 1000).toISOString());
}

export function currentMoment(): string {
  return toMoment(new Date().toISOString());
}

/** A microsecond later: times of points are the first moment that is not restored. */
export function justAfter(moment: string): string {
  const [seconds = '', fraction = ''] = moment.replace(/Z$/, '').split('.');
  const micros = Number(fraction) + 1;
  return micros < 1_000_000
    ? `${seconds}.${String(micros).padStart(6, '0')}Z`
    : `${new Date(Date.parse(`${seconds}Z`) + 1_000).toISOString().slice(0, 19)}.000000Z`;
}
