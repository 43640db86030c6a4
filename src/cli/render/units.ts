/** Figures as a tired reader takes them in: one form a kind of figure, everywhere on the command line. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A duration on a clock: `0:03`, `12:40`, `6:00:00`. Always minutes and seconds, hours in front where there are any.
 * @param ms below 0 counts as 0; part of a second is dropped, as clocks do
 */
export function clock(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / SECOND);
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/**
 * A duration in words, rounded to what matters: `40 s`, `1 min 12 s`, `11 min`, `6 h`, `4 h 30 min`, `2 d 3 h`.
 * Seconds are left out from ten minutes on, minutes from a day on.
 */
export function span(ms: number): string {
  if (ms < SECOND) return `${Math.max(0, Math.round(ms))} ms`;
  const total = Math.round(ms / SECOND) * SECOND;
  if (total < MINUTE) return `${total / SECOND} s`;
  if (total < 10 * MINUTE) return pair(total, MINUTE, 'min', SECOND, 's');
  if (total < HOUR - MINUTE / 2) return `${Math.round(total / MINUTE)} min`;
  if (total < DAY - MINUTE / 2) return pair(total, HOUR, 'h', MINUTE, 'min');
  return pair(total, DAY, 'd', HOUR, 'h');
}

function pair(ms: number, large: number, largeName: string, small: number, smallName: string): string {
  const smalls = Math.round(ms / small);
  const perLarge = large / small;
  const rest = smalls % perLarge;
  const head = `${Math.floor(smalls / perLarge)} ${largeName}`;
  return rest === 0 ? head : `${head} ${rest} ${smallName}`;
}

/** `18,204` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, as disks and networks are sold: `8.7 GB`, `104 MB`, `512 B`. */
export function bytes(value: number): string {
  const { factor, unit } = byteScale(value);
  return `${scaled(value / factor)} ${unit}`;
}

/** `6.2 of 8.7 GB`: both in the unit of the larger one. */
export function bytesOf(done: number, total: number): string {
  const { factor, unit } = byteScale(Math.max(done, total));
  return `${scaled(done / factor)} of ${scaled(total / factor)} ${unit}`;
}

function byteScale(value: number): { factor: number; unit: string } {
  let index = 0;
  // 999.95 would be printed as 1000.
  while (index < BYTE_UNITS.length - 1 && Math.abs(value) / 1000 ** index >= 999.5) index += 1;
  return { factor: 1000 ** index, unit: BYTE_UNITS[index] as string };
}

function scaled(value: number): string {
  if (value === 0) return '0';
  return Math.abs(value) < 99.95 && !Number.isInteger(value) ? value.toFixed(1) : count(value);
}

/** `71 %`, rounded down: 100 % is only said when it is all done. */
export function percent(done: number, total: number): string {
  if (total <= 0) return '0 %';
  return `${Math.floor(Math.min(1, Math.max(0, done / total)) * 100)} %`;
}

/**
 * `03:02:11 UTC`, with the date in front where it is another day than `now`.
 * @param iso ISO 8601, or milliseconds since 1970
 */
export function utc(iso: string | number, now?: number): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return 'unknown time';
  const text = date.toISOString();
  const time = `${text.slice(11, 19)} UTC`;
  const sameDay = now === undefined || text.slice(0, 10) === new Date(now).toISOString().slice(0, 10);
  return sameDay ? time : `${text.slice(0, 10)} ${time}`;
}
