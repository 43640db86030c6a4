/** Points in time as a person under pressure gives them. */
import { InputError } from '../errors.js';

const FORMS = '2026-03-01T02:59:39Z (with a zone), 02:59 or 02:59:39 (UTC, today), or "10 min ago"';

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})$/i;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:\s*(?:Z|UTC))?$/i;
const AGO = /^(\d+(?:\.\d+)?)\s*(s|sec|seconds?|min|minutes?|m|h|hours?|d|days?)\s+ago$/i;

const SECOND = 1_000;
const unitMs: Readonly<Record<string, number>> = {
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86_400 * SECOND,
};

/**
 * Reads a moment of the past: ISO 8601 with a zone, `HH:MM[:SS]` (UTC, today) or `10 min ago`.
 *
 * @param text what was given
 * @param field the option it was given with, for the error
 * @param now milliseconds since 1970
 * @returns ISO 8601 UTC; fractions of a second as they were given, to the microsecond
 * @throws InputError for anything else, for a moment without a zone, that does not exist, or that is still to come
 */
export function parseMoment(text: string, field: string, now: number): string {
  const given = text.trim();
  const moment = iso(given, field) ?? clockTime(given, field, now) ?? ago(given, now);
  if (moment === undefined) throw wrong(field, text, FORMS);
  if (Date.parse(moment) > now) {
    const today = CLOCK.test(given)
      ? '; for another day give the date too, for instance 2026-03-01T23:58:00Z'
      : '';
    throw wrong(
      field,
      text,
      `a moment of the past: it is ${new Date(now).toISOString().slice(0, 19)}Z now${today}`,
    );
  }
  return moment;
}

function iso(given: string, field: string): string | undefined {
  const match = ISO.exec(given);
  if (match === null) {
    // The most likely slip deserves its own answer: guessing a zone could lose hours of data.
    if (/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?$/.test(given)) {
      throw wrong(field, given, `a time of day and a zone, for instance ${given.slice(0, 10)}T02:59:39Z`);
    }
    return undefined;
  }
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone = 'Z'] = match;
  const utc = compose(`${year}-${month}-${day}`, [hour, minute, second], fraction);
  if (utc === undefined) throw wrong(field, given, 'a day and a time of day that exist');
  const shiftMs = zoneMs(zone);
  if (shiftMs === undefined) throw wrong(field, given, 'a zone between -14:00 and +14:00, or Z');
  return shiftMs === 0 ? utc : withFraction(Date.parse(utc) - shiftMs, fraction);
}

function clockTime(given: string, field: string, now: number): string | undefined {
  const match = CLOCK.exec(given);
  if (match === null) return undefined;
  const [, hour = '', minute, second = '00', fraction = ''] = match;
  const today = new Date(now).toISOString().slice(0, 10);
  const utc = compose(today, [hour.padStart(2, '0'), minute, second], fraction);
  if (utc === undefined) throw wrong(field, given, 'a time of day between 00:00:00 and 23:59:59');
  return utc;
}

function ago(given: string, now: number): string | undefined {
  const match = AGO.exec(given);
  if (match === null) return undefined;
  const [, amount = '', unit = ''] = match;
  const moment = now - Number(amount) * (unitMs[unit.charAt(0).toLowerCase()] as number);
  return Math.abs(moment) > 8.64e15 ? undefined : new Date(moment).toISOString();
}

/** @returns undefined where that moment does not exist, such as 30 February or 24:00 */
function compose(day: string, clock: readonly (string | undefined)[], fraction: string): string | undefined {
  const text = `${day}T${clock.join(':')}.000Z`;
  const time = Date.parse(text);
  if (Number.isNaN(time) || new Date(time).toISOString() !== text) return undefined;
  return withFraction(time, fraction);
}

/** PostgreSQL keeps microseconds, so they are kept here too. */
function withFraction(time: number, fraction: string): string {
  const digits = fraction.slice(0, 6).padEnd(3, '0');
  return `${new Date(time).toISOString().slice(0, 19)}.${digits}Z`;
}

function zoneMs(zone: string): number | undefined {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (match === null) return 0;
  const minutes = Number(match[2]) * 60 + Number(match[3]);
  if (minutes > 14 * 60 || Number(match[3]) > 59) return undefined;
  return (match[1] === '-' ? -1 : 1) * minutes * 60_000;
}

function wrong(field: string, given: string, allowed: string): InputError {
  return new InputError(`${field} is not a moment that can be used.`, [{ field, given, allowed }]);
}
