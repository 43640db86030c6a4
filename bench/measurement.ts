/** What a benchmark gives, and whether it keeps what was promised. */
import { median } from './statistics.js';

export interface Measurement {
  readonly name: string;
  /** What is divided by what; 1 is as good as by hand, or exactly at the limit where the unit is a limit. */
  readonly ratio: number;
  /** Greatest ratio that was promised; null: none. */
  readonly limit: number | null;
  /** How often each side was measured. */
  readonly runs: number;
  /** Medians with their units in the names, for instance `musterMs`. */
  readonly raw: Readonly<Record<string, number>>;
  /** What the figures alone do not say. */
  readonly note?: string;
}

/** @throws RangeError when there is nothing to divide by */
export function compare(
  name: string,
  limit: number | null,
  runs: number,
  [above, below]: readonly [above: Series, below: Series],
): Measurement {
  const [over, under] = [median(above.values), median(below.values)];
  if (!(under > 0)) throw new RangeError(`${below.name} is ${under}`);
  return {
    name,
    ratio: over / under,
    limit,
    runs,
    raw: { [above.name]: over, [below.name]: under },
  };
}

/** Values of one side, by the name that their median has. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

export function keepsLimit({ ratio, limit }: Measurement): boolean {
  return limit === null || ratio <= limit;
}

/** One object a benchmark; ratios to three digits, so that noise is not taken for precision. */
export function toJson(measurements: readonly Measurement[]): string {
  return JSON.stringify(
    measurements.map(({ name, ratio, limit, runs, raw, note }) => ({
      name,
      ratio: rounded(ratio),
      limit: limit === null ? null : rounded(limit),
      runs,
      ...Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, rounded(value)])),
      ...(note === undefined ? {} : { note }),
    })),
  );
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

/** Lines of a table for people. */
export function toTable(measurements: readonly Measurement[]): readonly string[] {
  const rows = measurements.map((measured) => [
    measured.name,
    measured.ratio.toFixed(2),
    measured.limit === null ? '-' : measured.limit.toFixed(2),
    measured.limit === null ? '' : keepsLimit(measured) ? 'kept' : 'MISSED',
    String(measured.runs),
    Object.entries(measured.raw)
      .map(([key, value]) => `${key} ${value < 100 ? value.toFixed(1) : Math.round(value)}`)
      .join(', '),
  ]);
  const head = ['benchmark', 'ratio', 'limit', '', 'runs', 'medians'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const rightAligned = [1, 2, 4];
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) =>
        rightAligned.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
