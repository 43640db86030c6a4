/** The time axis of the timeline: from detection, or from the start of the run where detection lies far back, to the end. */
import type { ReportDocument } from '../document.js';

export interface Axis {
  readonly from: number;
  readonly to: number;
  x(time: number): number;
  within(time: number): boolean;
}

export function axisOf(
  report: ReportDocument,
  shape: { readonly chartLeft: number; readonly chartRight: number },
): Axis {
  const detected = Date.parse(report.clock.detectedAt);
  const started = Date.parse(report.clock.startedAt);
  const to = Math.max(
    started + 1_000,
    Date.parse(report.writtenAt),
    ...report.steps.map((step) => Date.parse(step.endedAt ?? report.clock.startedAt)),
  );
  // A run that began long after detection would be squeezed into a corner.
  const from = started - detected > (to - detected) * 0.4 ? started : Math.min(detected, started);
  const scale = (shape.chartRight - shape.chartLeft) / (to - from);
  return {
    from,
    to,
    x: (time) => round(shape.chartLeft + (Math.min(to, Math.max(from, time)) - from) * scale),
    within: (time) => time >= from && time <= to,
  };
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [1, 2, 5, 10, 15, 30]
  .map((value) => value * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((value) => value * MINUTE))
  .concat([1, 2, 3, 6, 12, 24, 48, 96].map((value) => value * HOUR));

export function ticksOf(axis: Axis, atMost: number): number[] {
  const step = STEPS.find((each) => (axis.to - axis.from) / each <= atMost) ?? 192 * HOUR;
  const ticks: number[] = [];
  for (let time = Math.ceil(axis.from / step) * step; time <= axis.to; time += step) ticks.push(time);
  return ticks;
}

export function tickLabel(time: number, axis: Axis): string {
  const text = new Date(time).toISOString();
  if (axis.to - axis.from > 36 * HOUR) return `${text.slice(5, 10)} ${text.slice(11, 16)}`;
  return axis.to - axis.from < 10 * MINUTE ? text.slice(11, 19) : text.slice(11, 16);
}

/** One decimal is enough for a picture, and keeps the page small. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
